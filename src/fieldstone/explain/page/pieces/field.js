// One channel of a tensor with a chosen cell: the cells around it as stones, and a larger map whole on a canvas.

import { fill, pixels, scaleOf } from "fieldstone/colours";
import { html } from "fieldstone/elements";
import { Stones, svg } from "fieldstone/grid";
import { addWords, say } from "fieldstone/words";

addWords({
  "field.channel": ["Channel", "채널"],
  "field.of": ["of {n}", "/ {n}"],
  "field.map": ["{label}, the whole map of {rows} × {columns}", "{label}, {rows} × {columns} 전체 맵"],
});

// pixels: the shorter side of a map, the breadth of a strip, the length of one that stands
const [SIDE, STRIP, LONG] = [130, 20, 300];

/** Channels, rows and columns of a tensor; a vector (C,) is one row. */
export function sides({ shape }) {
  if (shape.length === 1) return { channels: 1, rows: 1, columns: shape[0] };
  const [channels, ...rest] = shape;
  return { channels, rows: rest.length > 1 ? rest[0] : 1, columns: rest.at(-1) };
}

/** The cell amid the first channel of a tensor. */
export function centre(tensor) {
  const { rows, columns } = sides(tensor);
  return { channel: 0, row: Math.floor((rows - 1) / 2), column: Math.floor((columns - 1) / 2) };
}

/** The values of one channel, in row order. */
export function channelOf(tensor, channel) {
  const { rows, columns } = sides(tensor);
  return tensor.data.subarray(channel * rows * columns, (channel + 1) * rows * columns);
}

/** The value at a cell {channel, row, column}. */
export function valueAt(tensor, { channel, row, column }) {
  return channelOf(tensor, channel)[row * sides(tensor).columns + column];
}

/** The largest pitch of stones, to 60 pixels, at which `count` of them fit. */
export const pitchFor = (width, count) => Math.floor(Math.max(24, Math.min(60, width / count)));

/**
 * @param {object} look name ("input" or "output": of `data-grid` and of the colour), label, size (more words), width in
 *   pixels, rows and columns (of the stones, at most), pitch; below: whether the canvas stands under the stones;
 *   unit: pixels of a value on the canvas, where two of them have to be alike.
 * @param {(cell) => void} picked is called with the row and column that a click or an arrow chose.
 * @returns {{element, show(cell, more)}} `more` has rows and columns, [first, last] each, of what is framed where that is
 *   not the cell alone, isBare where nothing is, and look(row, column), what a stone has beside its value and tint.
 */
export function field(tensor, look, picked) {
  const { rows, columns } = sides(tensor);
  const shown = { rows: Math.min(rows, look.rows), columns: Math.min(columns, look.columns) };
  const whole = shown.rows < rows || shown.columns < columns ? map(tensor, look, shown, picked) : null;
  const role = look.name === "output" ? "out" : "in";
  const pitch = Math.min(look.pitch, pitchFor(look.width, shown.columns));
  const gap = pitch < 48 ? 4 : 6;
  const within = (row, column) => picked({ row: clamp(row, rows), column: clamp(column, columns) });
  let at = null;
  const grid = new Stones(
    {
      name: look.name,
      label: look.label,
      rows: shown.rows,
      columns: shown.columns,
      x: 0,
      y: 0,
      pitch,
      gap,
      channel: 0,
    },
    {
      picked: within,
      moved: (row, column) => {
        within(row, column);
        grid.focus(at.row, at.column);
      },
    },
  );
  const frame = svg("rect", {
    class: `field-frame field-frame-${role}`,
    rx: Math.min(11, pitch / 4),
    "aria-hidden": "true",
  });
  const drawing = svg(
    "svg",
    { class: "field-stones", width: shown.columns * pitch, height: shown.rows * pitch },
    grid.element,
    frame,
  );
  const element = html(
    "figure",
    { class: "field" },
    caption(look),
    ...(look.below ? [drawing, whole?.element] : [whole?.element, drawing]),
  );

  function show(cell, { rows: down = [cell.row, cell.row], columns: along = [cell.column, cell.column], ...more } = {}) {
    at = cell;
    const values = channelOf(tensor, cell.channel);
    const scale = scaleOf(values);
    const first = {
      firstRow: start(down, shown.rows, rows),
      firstColumn: start(along, shown.columns, columns),
    };
    grid.channel = cell.channel;
    grid.paint((row, column) => {
      const value = values[row * columns + column];
      const chosen = row === cell.row && column === cell.column;
      const own = { value, fill: fill(role, value, scale), ...more.look?.(row, column) };
      return chosen && role === "out" ? { ...own, state: "now" } : own;
    }, first);
    grid.stop(cell.row, cell.column);
    frame.setAttribute("x", (along[0] - first.firstColumn) * pitch);
    frame.setAttribute("y", (down[0] - first.firstRow) * pitch);
    frame.setAttribute("width", (along[1] - along[0] + 1) * pitch);
    frame.setAttribute("height", (down[1] - down[0] + 1) * pitch);
    frame.classList.toggle("field-bare", Boolean(more.isBare));
    whole?.show(values, scale, first);
  }
  return { element, show };
}

/** The swatch, name and size over a grid. */
export function caption({ name, label, size }) {
  const kind = name === "output" ? "out" : "in";
  return html(
    "figcaption",
    {},
    html("span", { class: `field-swatch field-${kind}` }),
    html("b", {}, label),
    html("span", {}, size),
  );
}

const clamp = (at, count) => Math.max(0, Math.min(count - 1, at));
const start = ([first, last], shown, count) =>
  Math.max(0, Math.min(count - shown, Math.floor((first + last + 1) / 2) - Math.floor(shown / 2)));

/** The whole map on a canvas; the part that stones show, `shown` rows and columns, is framed. */
export function map(tensor, look, shown, picked) {
  const { rows, columns } = sides(tensor);
  const [width, height] = look.unit ? [columns * look.unit, rows * look.unit] : extent(rows, columns, look.width);
  const label = say("field.map", { label: look.label, rows, columns });
  const canvas = html("canvas", {
    width: columns,
    height: rows,
    role: "img",
    "aria-label": label,
    style: `width:${width}px;height:${height}px`,
  });
  const frames = shown ? ["field-halo", "field-box"].map(name => svg("rect", { class: name })) : [];
  const over = svg("svg", { width, height, "aria-hidden": "true" }, ...frames);
  if (picked)
    canvas.addEventListener("click", event =>
      picked({
        row: clamp(Math.floor((event.offsetY / height) * rows), rows),
        column: clamp(Math.floor((event.offsetX / width) * columns), columns),
      }),
    );
  function show(values, scale, first) {
    canvas.getContext("2d").putImageData(pixels(values, columns, rows, scale), 0, 0);
    for (const frame of frames) {
      frame.setAttribute("x", (first.firstColumn * width) / columns);
      frame.setAttribute("y", (first.firstRow * height) / rows);
      frame.setAttribute("width", Math.max(4, (shown.columns * width) / columns));
      frame.setAttribute("height", Math.max(4, (shown.rows * height) / rows));
    }
  }
  return {
    element: html(
      "div",
      { class: `field-map${picked ? " field-picked" : ""}`, style: `width:${width}px` },
      canvas,
      over,
    ),
    width,
    show,
  };
}

/** A canvas' width and height: a vector is a strip, a map takes whole pixels a value. */
function extent(rows, columns, most) {
  if (rows === 1) return [Math.min(most, columns * 24), STRIP];
  if (columns === 1) return [STRIP, Math.min(LONG, rows * 24)];
  const unit = Math.floor(Math.min(most / columns, SIDE / Math.min(rows, columns))) || most / columns;
  return [columns * unit, rows * unit];
}

/** Draws a straight ray from one element to another, in an SVG that lies over or under both. */
export function join(ray, from, to) {
  const origin = ray.ownerSVGElement.getBoundingClientRect();
  const middle = element => {
    const box = element.getBoundingClientRect();
    return `${box.left + box.width / 2 - origin.left},${box.top + box.height / 2 - origin.top}`;
  };
  ray.setAttribute("d", `M${middle(from)}L${middle(to)}`);
}

/** A number field that chooses a channel, from 1 on; `picked` is called with it from 0 on. */
export function channelChooser(count, channel, picked, label = say("field.channel")) {
  const input = html("input", { type: "number", min: 1, max: count, value: channel + 1, "aria-label": label });
  input.addEventListener("input", () => {
    if (input.checkValidity() && input.value) picked(Number(input.value) - 1);
  });
  input.addEventListener("change", () => {
    input.value = clamp(Math.round(Number(input.value)) - 1, count) + 1;
    picked(Number(input.value) - 1);
  });
  return html("label", { class: "field-channel" }, label, input, html("span", {}, say("field.of", { n: count })));
}

/** Writes in a chooser which channel is shown, unless someone is typing there. */
export function writeChannel(chooser, channel) {
  const input = chooser.querySelector("input");
  if (document.activeElement !== input) input.value = channel + 1;
}
