// Blocks whose values come from a few cells each: resized, shuffled, padded, cropped and unpooled maps.

import { drawBeam } from "fieldstone/beams";
import { html } from "fieldstone/elements";
import { channelChooser, field, sides, valueAt } from "fieldstone/field";
import { svg } from "fieldstone/grid";
import { format, times } from "fieldstone/numbers";
import { originOf, ownersOf, placesOf } from "fieldstone/origins";
import { layerOf } from "fieldstone/parts";
import { room } from "fieldstone/pointwise";
import { keep, mapLeftOut, sheetView, steps } from "fieldstone/sheet";
import { boxes, tell, titleOf } from "fieldstone/whence";
import { say } from "fieldstone/words";

const BETWEEN = 72; // pixels between the maps, for the beam
const SIDE = 180; // pixels of the longer side of the larger map

export function view(root, store, block) {
  const pool = store.block(block.layer.pool); // of an unpooling: what it undoes
  const needed = [store.input(block), store.output(block.path), pool ? store.input(pool) : null];
  const show = (on, input, output, pooled) => draw(on, store, block, { input, output, pool, pooled });
  return sheetView(root, block, titleOf(block.layer), needed, show);
}

function draw(on, store, block, { input, output, pool, pooled }) {
  const missing = [[input, block.sources[0]], [output, block.path], [pool ? pooled : output, pool?.sources[0]]];
  const lost = missing.find(([tensor]) => !tensor?.data);
  if (lost) {
    on.stage.append(mapLeftOut(store, lost[1]));
    return;
  }
  const { layer } = block;
  const owners = pool ? ownersOf(layerOf(pool), pooled) : null;
  const { channels, rows, columns } = sides(output);
  const cell = keep(block.path, () => ({ channel: 0, row: 0, column: 0 }));
  const origin = at => originOf(layer, input.shape, output.shape, at, owners);
  const go = to => {
    Object.assign(cell, to);
    show();
  };
  const look = stageLook(on.width(), [input, output], layer);
  let taken = 0; // the channel of the input that is shown
  const from = field(input, { ...look, name: "input", label: say("words.input"), size: times(input.shape) }, at => {
    const found = reading({ rows, columns }, cell, origin, { ...at, channel: taken });
    if (found) go(found);
  });
  const to = field(output, { ...look, name: "output", label: say("words.output"), size: times(output.shape) }, go);
  const beam = [svg("path", { class: "beams-beam" }), svg("path", { class: "beams-ray" })];
  const under = svg("svg", { class: "gather-under", "aria-hidden": "true" }, ...beam);
  const chooser = channels > 1 ? channelChooser(channels, cell.channel, channel => go({ channel })) : null;
  const row = html("div", { class: "gather" }, under, from.element, to.element);
  on.stage.append(...[chooser, row].filter(Boolean));
  const place = boxes(on, layer, pool, [input, output]);
  const step = steps(on, rows * columns, at => go({ row: Math.floor(at / columns), column: at % columns }));
  function show() {
    const found = origin(cell);
    const chief = nearest(found.taps, cell, sides(input));
    taken = chief.channel;
    from.show(chief, { ...framed(found.taps), look: inputLook(layer, sides(output), found) });
    to.show(cell, { look: outputLook(layer, sides(input), at => origin({ ...cell, ...at })) });
    const values = found.taps.map(tap => ({ ...tap, value: valueAt(input, tap) }));
    tell(on, block.layer, { input, output, cell, axes: found.axes, values, recorded: valueAt(output, cell) });
    place({ cell, ...found });
    drawBeam(beam, found.taps.length ? boxOf(from, under) : null, boxOf(to, under));
    step.show(cell.row * columns + cell.column);
  }
  show();
}

/** Stones of both maps, at least the four cells of a bicubic window; values of both are as large on the canvases. */
function stageLook(width, tensors, { mode }) {
  const look = room(width, tensors[0], BETWEEN), least = mode === "cubic" ? 4 : 3;
  const longest = Math.max(...tensors.map(sides).flatMap(({ rows, columns }) => [rows, columns]));
  const most = Math.min(SIDE, look.width), unit = Math.floor(most / longest) || most / longest;
  return { ...look, unit, rows: Math.max(least, look.rows), columns: Math.max(least, look.columns) };
}

/** The cell of the input that is called by its place: the one that counts most, or that is next to the padding. */
function nearest(taps, { channel, row, column }, { rows, columns }) {
  if (taps.length) return taps.reduce((one, other) => (other.weight > one.weight ? other : one));
  return { channel, row: Math.min(row, rows - 1), column: Math.min(column, columns - 1) };
}

/** The frame around the cells that are read. */
function framed(taps) {
  if (!taps.length) return { isBare: true };
  const ends = places => [Math.min(...places), Math.max(...places)];
  return { rows: ends(taps.map(({ row }) => row)), columns: ends(taps.map(({ column }) => column)) };
}

/** The output cell to which a cell of the input gives most, the first of equal ones; undefined where it gives nothing. */
function reading({ rows, columns }, { channel }, origin, { channel: taken, row, column }) {
  let best = { weight: 0 };
  for (let down = 0; down < rows; down += 1)
    for (let along = 0; along < columns; along += 1) {
      const { taps } = origin({ channel, row: down, column: along });
      const tap = taps.find(one => one.channel === taken && one.row === row && one.column === column);
      if (tap && tap.weight > best.weight) best = { weight: tap.weight, row: down, column: along };
    }
  return best.weight ? { row: best.row, column: best.column } : undefined;
}

/** Under each cell of a blend its weight; what a crop takes away is marked. */
function inputLook(layer, { rows, columns }, { taps, axes }) {
  if (layer.type === "crop") {
    const [[top], [left]] = layer.padding;
    const isKept = (row, column) => row + top >= 0 && row + top < rows && column + left >= 0 && column + left < columns;
    return (row, column) => (isKept(row, column) ? {} : { state: "cut" });
  }
  if (!axes || layer.mode === "nearest") return undefined;
  const weights = new Map(taps.map(({ row, column, weight }) => [`${row},${column}`, `×${format(weight)}`]));
  return (row, column) => {
    const under = weights.get(`${row},${column}`);
    return under ? { under, says: under } : {};
  };
}

/** Padding is dashed, and so is what an unpooling leaves empty. */
function outputLook(layer, { rows, columns }, origin) {
  if (layer.type === "maxunpool") return (row, column) => (origin({ row, column }).taps.length ? {} : { state: "off" });
  if (layer.type !== "pad") return undefined;
  return (row, column) => {
    const [down, along] = placesOf(layer, { row, column });
    return down < 0 || down >= rows || along < 0 || along >= columns ? { state: "pad" } : {};
  };
}

/** Where the frame of a field lies, from the corner of the drawing under both. */
function boxOf({ element }, under) {
  const [box, origin] = [element.querySelector(".field-frame"), under].map(one => one.getBoundingClientRect());
  return { x: box.left - origin.left, y: box.top - origin.top, width: box.width, height: box.height };
}
