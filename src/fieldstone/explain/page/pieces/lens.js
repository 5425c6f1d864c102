// What is seen of a map that is too large for numbers: the whole of it on a canvas, and which part stands beside it as
// stones.

import { pixels, scaleOf } from "fieldstone/colours";
import { html } from "fieldstone/elements";
import { svg } from "fieldstone/grid";
import { format } from "fieldstone/numbers";
import { addWords, say } from "fieldstone/words";

addWords({
  "lens.cell": ["row {row}, column {column} = {value}", "{row}행 {column}열 = {value}"],
  "lens.hint": ["point to read a value, click to go there", "가리키면 값, 누르면 이동"],
});

const LENS = 11; // cells a side, at most
const SIDE = 208; // pixels of a canvas, about
const MARGIN = 7; // pixels around a canvas, that a frame in the padding may take

/** The places of an axis that exist, the map's own and its padding: {first, last}. */
function reach({ layer, shape }, axis) {
  const isPadded = layer.padding && layer.type !== "upconv";
  const [before, after] = isPadded ? layer.padding[axis] : [0, 0];
  return { first: -before, last: shape[axis + 1] + after - 1 };
}

/**
 * The part of an axis of the input that is drawn as stones: {first, step, number, whole}. All of it if it has at most
 * `most` places, else the window and a cell around; of a dilated window that is too large the taps alone; of any other
 * as much as fits, about `near`.
 */
export function inputLens(trace, axis, at, most, near) {
  const { first, last } = reach(trace, axis),
    total = last - first + 1;
  if (total <= most) return { first, step: 1, number: total, whole: true };
  const limit = Math.min(LENS, most),
    span = trace.longest(axis),
    here = trace.span(axis, at);
  const start = Number.isFinite(here.first) ? here.first : 0,
    dilation = trace.layer.dilation?.[axis] ?? 1;
  if (span > limit && dilation > 1 && trace.axes[axis].taps <= limit) {
    return { first: start, step: dilation, number: trace.axes[axis].taps, whole: false };
  }
  const number = Math.min(limit, span + 2, total);
  const wanted = span > limit ? within(near - (number >> 1), start, here.last - number + 1) : start - 1;
  return { first: within(wanted, first, last - number + 1), step: 1, number, whole: false };
}

/** The same of the output: about the cell that is computed. */
export function outputLens(size, at, most) {
  if (size <= most) return { first: 0, step: 1, number: size, whole: true };
  const number = Math.min(most, 5); // around the cell
  return { first: within(at - (number >> 1), 0, size - number), step: 1, number, whole: false };
}

function within(value, least, most) {
  return Math.max(least, Math.min(most, value));
}

/** A map on a canvas, each value a square of whole pixels, with a frame over it. */
export class CanvasMap {
  #frames = ["lens-halo", "lens-frame"].map(name => svg("rect", { class: name }));

  /** @param map {name, label, values, height, width, picked(row, column), side: pixels, about (208)}. */
  constructor(map) {
    Object.assign(this, map);
    this.pitch = Math.max(1, Math.floor((this.side ?? SIDE) / Math.max(this.height, this.width)));
    this.scale = scaleOf(this.values);
    this.canvas = html("canvas", {
      class: "lens-canvas",
      role: "img",
      "aria-label": this.label,
      "data-map": this.name,
    });
    this.readout = html("p", { class: "lens-readout" }, say("lens.hint"));
    this.element = html("div", { class: "lens-map" }, this.#plate(), this.readout, bar(this.scale));
    this.canvas.addEventListener("pointermove", event => this.#point(event));
    this.canvas.addEventListener("click", event => this.picked?.(...this.#cell(event)));
    this.draw();
  }

  /** Draws the values, again after a change of theme. */
  draw() {
    const { canvas, width, height } = this;
    [canvas.width, canvas.height] = [width, height];
    canvas.getContext("2d").putImageData(pixels(this.values, width, height, this.scale), 0, 0);
  }

  /**
   * Frames cells, [[top, bottom], [left, right]], both included; of what lies in the padding, as much as the margin
   * holds. Null frames none.
   */
  frame(cells) {
    const [y, x] = [this.height, this.width].map((count, axis) => edges(cells?.[axis] ?? [0, -1], count, this.pitch));
    const box = { x: x[0], y: y[0], width: x[1] - x[0], height: y[1] - y[0], visibility: cells ? "visible" : "hidden" };
    for (const frame of this.#frames) for (const [key, value] of Object.entries(box)) frame.setAttribute(key, value);
  }

  #plate() {
    const [width, height] = [this.width * this.pitch, this.height * this.pitch];
    this.canvas.style.width = `${width}px`;
    const over = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": true }, ...this.#frames);
    return html("div", { class: "lens-plate", style: `width: ${width}px` }, this.canvas, over);
  }

  #cell(event) {
    const box = this.canvas.getBoundingClientRect();
    const part = (at, side, cells) => within(Math.floor((at / side) * cells), 0, cells - 1);
    const [down, along] = [event.clientY - box.top, event.clientX - box.left];
    return [part(down, box.height, this.height), part(along, box.width, this.width)];
  }

  #point(event) {
    const [row, column] = this.#cell(event),
      value = format(this.values[row * this.width + column]);
    this.readout.textContent = say("lens.cell", { row: row + 1, column: column + 1, value });
  }
}

/** Where a frame of cells begins and ends along a map of `count` cells, in pixels: never beyond the margin. */
function edges([first, last], count, pitch) {
  const end = count * pitch + MARGIN,
    least = 4;
  return [
    within(first * pitch - 1, -MARGIN, end - least),
    within((last + 1) * pitch + 1, least - MARGIN, end),
  ];
}

/** The scale under a map: its colours, its ends, and zero. */
function bar({ most, signed }) {
  const ends = signed ? [-most, 0, most] : [0, most];
  return html(
    "div",
    { class: "lens-scale" },
    html("div", { class: signed ? "lens-bar lens-signed" : "lens-bar" }),
    html("div", { class: "lens-ends" }, ...ends.map(end => html("span", {}, format(end)))),
  );
}
