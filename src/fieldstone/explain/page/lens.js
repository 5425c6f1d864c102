// What is seen of a map that is too large for numbers: the whole of it on a canvas, and which part stands beside it as
// stones.

import { pixels, scaleOf } from "fieldstone/colours";
import { html, svg } from "fieldstone/grid";
import { format } from "fieldstone/numbers";
import { addWords, say } from "fieldstone/words";

addWords({
  "lens.cell": ["row {row}, column {column} = {value}", "{row}행 {column}열 = {value}"],
  "lens.hint": ["Point at a cell to read it, click to go there.", "칸을 가리키면 값이 보이고, 누르면 그곳으로 갑니다."],
});

const LENS = 11; // cells a side, at most
const SIDE = 232; // pixels of a canvas, about

/** The places of an axis that exist: the map's own and its padding, {first, last}. */
function reach({ layer, shape }, axis) {
  const slides = layer.type === "conv" || layer.type === "maxpool" || layer.type === "avgpool";
  const [before, after] = slides ? layer.padding[axis] : [0, 0];
  return { first: -before, last: shape[axis + 1] + after - 1 };
}

/**
 * The part of an axis of the input that is drawn as stones at one step: {first, step, number, whole}. All of it if it has
 * at most `most` places, otherwise the window and a cell around; of a dilated window that is too large the taps alone; of
 * any other as much as fits, about `near`.
 */
export function inputLens(trace, axis, at, most, near = null) {
  const { first, last } = reach(trace, axis), total = last - first + 1;
  if (total <= most) return { first, step: 1, number: total, whole: true };
  const { taps, out } = trace.axes[axis], limit = Math.min(LENS, most), dilation = trace.layer.dilation?.[axis] ?? 1;
  const spans = Array.from({ length: Math.min(out, 2 * (trace.layer.stride?.[axis] ?? out)) }, (_, one) =>
    trace.span(axis, one)).map(span => span.last - span.first + 1);
  const span = Math.max(1, ...spans.filter(Number.isFinite)), here = trace.span(axis, at);
  const start = Number.isFinite(here.first) ? here.first : 0;
  if (span > limit && dilation > 1 && taps <= limit) return { first: start, step: dilation, number: taps, whole: false };
  const number = Math.min(limit, span + 2, total);
  const wanted = span > limit ? Math.max(start, Math.min(here.last - number + 1, (near ?? start) - (number >> 1))) :
    start - Math.min(1, number - span);
  return { first: Math.max(first, Math.min(last - number + 1, wanted)), step: 1, number, whole: false };
}

/** The same of the output: about the cell that is computed. */
export function outputLens(size, at, most) {
  if (size <= most) return { first: 0, step: 1, number: size, whole: true };
  const number = Math.min(size, most, 5);
  return { first: Math.max(0, Math.min(size - number, at - (number >> 1))), step: 1, number, whole: false };
}

/** A map on a canvas, each value a square of whole pixels, with a frame over it. */
export class CanvasMap {
  #frame = svg("rect", { class: "lens-frame" });
  #halo = svg("rect", { class: "lens-halo" });

  /** @param map {name, label, values, height, width, picked(row, column)}. */
  constructor(map) {
    Object.assign(this, map);
    this.pitch = Math.max(1, Math.floor(SIDE / Math.max(this.height, this.width)));
    this.scale = scaleOf(this.values);
    this.canvas = html("canvas", "lens-canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", this.label);
    this.readout = html("p", "lens-readout", say("lens.hint"));
    this.element = html("div", "lens-map", this.#plate(), this.readout, bar(this.scale));
    this.canvas.addEventListener("pointermove", event => this.#point(event));
    this.canvas.addEventListener("click", event => this.picked?.(...this.#cell(event)));
    this.draw();
  }

  /** Draws the values again, as after a change of theme. */
  draw() {
    const { canvas, width, height } = this, context = canvas.getContext("2d");
    [canvas.width, canvas.height] = [width, height];
    context.putImageData(pixels(this.values, width, height, this.scale), 0, 0);
  }

  /** Frames the cells from one to another, both included. */
  frame([top, bottom], [left, right]) {
    const { pitch } = this, box = {
      x: left * pitch - 1, y: top * pitch - 1, width: (right - left + 1) * pitch + 2, height: (bottom - top + 1) * pitch + 2 };
    for (const frame of [this.#halo, this.#frame]) {
      for (const [key, value] of Object.entries(box)) frame.setAttribute(key, value);
    }
  }

  #plate() {
    const [width, height] = [this.width * this.pitch, this.height * this.pitch];
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    const over = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": true }, this.#halo, this.#frame);
    const plate = html("div", "lens-plate", this.canvas, over);
    plate.style.width = `${width}px`;
    return plate;
  }

  #cell(event) {
    const box = this.canvas.getBoundingClientRect();
    const part = (at, from, side, cells) => Math.max(0, Math.min(cells - 1, Math.floor((at - from) / side * cells)));
    return [part(event.clientY, box.top, box.height, this.height), part(event.clientX, box.left, box.width, this.width)];
  }

  #point(event) {
    const [row, column] = this.#cell(event), value = format(this.values[row * this.width + column]);
    this.readout.textContent = say("lens.cell", { row: row + 1, column: column + 1, value });
  }
}

/** The scale under a map: its colours, ends, and zero. */
function bar({ most, signed }) {
  const ends = signed ? [-most, 0, most] : [0, most];
  return html("div", "lens-scale", html("div", signed ? "lens-bar lens-signed" : "lens-bar"),
    html("div", "lens-ends", ...ends.map(end => html("span", "", format(end)))));
}
