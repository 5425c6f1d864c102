// What the views of value-by-value layers share: input and output as fields, a channel to choose, steps over its cells.

import { html } from "fieldstone/elements";
import { centre, channelChooser, field, sides, valueAt, writeChannel } from "fieldstone/field";
import { keep, mapLeftOut, sheetView, steps } from "fieldstone/sheet";
import { addWords, say } from "fieldstone/words";

addWords({
  "pointwise.cell": ["Channel {channel}, row {row}, column {column}.", "채널 {channel}, {row}행 {column}열."],
  "pointwise.entry": ["Value {column} of {n}.", "값 {column} / {n}."],
});

const [NARROW, PITCH] = [560, 46]; // pixels

/** The place of a cell in words. */
export function placeOf(tensor, { channel, row, column }) {
  const { columns } = sides(tensor);
  if (tensor.shape.length === 1) return say("pointwise.entry", { column: column + 1, n: columns });
  return say("pointwise.cell", { channel: channel + 1, row: row + 1, column: column + 1 });
}

/** The size of a tensor's channel in words: `37 × 37`, or the length of a vector. */
export const sizeOf = tensor => {
  const { rows, columns } = sides(tensor);
  return tensor.shape.length === 1 ? String(columns) : `${rows} × ${columns}`;
};

/**
 * How many stones, and how large, of `maps` side by side with `between` pixels for what stands between them; where it is
 * narrow, two with so many pixels.
 */
export function room(width, tensor, between = 0, maps = 2, narrow = 20) {
  const strip = { width, rows: 1, columns: Math.max(3, Math.min(11, Math.floor(width / PITCH))), pitch: PITCH };
  if (tensor.shape.length === 1) return strip;
  if (width < NARROW) return { width: (width - narrow) / 2, rows: 3, columns: 3, pitch: PITCH };
  return { width: (width - between - 64) / maps, rows: 5, columns: 5, pitch: PITCH };
}

/**
 * A view of a block whose output cell reads the same cell of its input.
 *
 * @param {object} parts title, alone (no boxes beside), between and narrow (pixels, as of `room`), load() (a promise of what `build` needs);
 *   build({on, input, output, loaded, middle, go}) gives `tell(cell, {x, y})`, which writes what is around the two
 *   maps: `on` is the sheet, `middle` an element between the maps, `go(cell)` chooses another, x and y are its values.
 */
export function pointwiseView(root, store, block, parts) {
  const needed = [store.input(block), store.output(block.path), parts.load?.()];
  const show = (on, input, output, loaded) => draw(on, store, block, parts, { input, output, loaded });
  return sheetView(root, block, parts.title, needed, show, parts.alone);
}

function draw(on, store, block, parts, { input, output, loaded }) {
  if (!input?.data || !output?.data) {
    on.stage.append(mapLeftOut(store, block.path));
    return;
  }
  const { channels, rows, columns } = sides(output);
  const cell = keep(block.path, () => centre(output));
  const size = room(on.width(), input, parts.between, 2, parts.narrow);
  const go = to => {
    Object.assign(cell, to);
    show();
  };
  const look = (name, tensor) => ({ ...size, name, label: say(`words.${name}`), size: sizeOf(tensor) });
  const from = field(input, look("input", input), go);
  const to = field(output, look("output", output), go);
  const middle = html("div", { class: "pointwise-middle" });
  const chooser = channels > 1 ? channelChooser(channels, cell.channel, channel => go({ channel })) : null;
  const row = html(
    "div",
    { class: `sheet-row${input.shape.length === 1 ? " pointwise-vector" : ""}` },
    from.element,
    middle,
    to.element,
  );
  on.stage.append(...[chooser, row].filter(Boolean));
  const step = steps(on, rows * columns, at => go({ row: Math.floor(at / columns), column: at % columns }));
  const tell = parts.build({ on, input, output, loaded, middle, go });
  function show() {
    from.show(cell);
    to.show(cell);
    if (chooser) writeChannel(chooser, cell.channel);
    tell(cell, { x: valueAt(input, cell), y: valueAt(output, cell) });
    step.show(cell.row * columns + cell.column);
  }
  show();
}
