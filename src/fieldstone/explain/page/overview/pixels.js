// The answer of a network that answers for each pixel: the class of every one, and the probabilities of a chosen one.

import { ranked } from "fieldstone/classes";
import { pixels } from "fieldstone/colours";
import { probabilities } from "fieldstone/elementwise";
import { html } from "fieldstone/elements";
import { placed } from "fieldstone/picture";
import { addWords, say } from "fieldstone/words";

addWords({
  "pixels.map": [
    "The answer, {rows} × {columns} pixels: the arrow keys choose one",
    "답, {rows} × {columns} 픽셀: 화살표 키로 픽셀을 고릅니다",
  ],
  "pixels.at": ["Pixel in row {row}, column {column} of {rows} × {columns}", "{rows} × {columns} 픽셀 중 {row}행 {column}열"],
  "pixels.greys": ["Most probable class, a grey for each", "가장 유력한 클래스, 클래스마다 회색 하나"],
  "pixels.second": ["Probability of {name}", "{name}의 확률"],
  "pixels.sparse": ["This file has one of {step} rows and columns.", "이 파일에는 {step}행·열마다 하나씩만 있습니다."],
  "pixels.none": ["The answer is not in this file.", "답이 이 파일에 없습니다."],
});

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const COARSE = 128; // columns, below which a map's pixels are seen one by one

let kept = null; // the chosen pixel, {row, column}: outlives a change of language or width

export class PixelAnswer {
  #redraw = () => this.#paint();
  #isOpen = false;

  /** @param picked is told of a pixel that is chosen here, {row, column} of the answer, and of its channel. */
  constructor(store, most, picked) {
    Object.assign(this, { store, most, picked, cell: null });
    const { shape } = store.payload.outputs.map;
    [, this.height, this.width] = shape;
    this.canvas = html("canvas", { "aria-hidden": "true" });
    this.mark = html("div", { class: "pixels-cell" });
    this.map = this.#map();
    this.list = html("div", { class: "pixels-list" });
    this.at = html("p", { class: "pixels-at", "aria-live": "polite" });
    this.note = html("p", { class: "pixels-note" });
    const title = html("h2", {}, say("classes.title"));
    this.element = html("div", { class: "classes pixels" }, title, this.map, this.note, this.at, this.list);
    document.addEventListener("themechange", this.#redraw);
    this.#load();
  }

  close() {
    document.removeEventListener("themechange", this.#redraw);
  }

  /** Tells of a pixel, {row, column}; of the chosen one, or that in the middle, for null. */
  show(cell) {
    this.cell = cell;
    if (this.made) this.#write();
  }

  /** The pixel that is told of while none is pointed at, {row, column}. */
  get chosen() {
    const { height, width } = this, middle = [height, width].map(size => Math.floor((size - 1) / 2));
    return { row: Math.min(kept?.row ?? middle[0], height - 1), column: Math.min(kept?.column ?? middle[1], width - 1) };
  }

  #map() {
    const { height: rows, width: columns } = this, label = say("pixels.map", { rows, columns });
    const map = html("div", { class: "pixels-map", role: "application", tabindex: 0, "aria-label": label,
      style: `aspect-ratio: ${columns} / ${rows}` }, this.canvas, this.mark);
    map.addEventListener("pointermove", event => event.pointerType === "mouse" && this.show(this.#under(event)));
    map.addEventListener("pointerleave", () => this.show(null));
    map.addEventListener("click", event => this.#choose(this.#under(event)));
    map.addEventListener("keydown", event => this.#press(event));
    return map;
  }

  /** All of the answer, or every so many pixels of it. */
  async #load() {
    const { outputs, arrays } = this.store.payload, { array, block, step } = outputs.map;
    const whole = block === null ? null : await this.store.output(block);
    const data = whole?.data ?? await this.store.array(array);
    if (!data) return this.element.replaceChildren(this.element.firstChild, html("p", {}, say("pixels.none")));
    this.made = whole ? { data, shape: whole.shape, step: 1 } : { data, shape: arrays[array].shape, step };
    this.#paint();
    this.#write();
  }

  /** The probabilities of the classes at a pixel, in their order. */
  #sharesAt({ row, column }) {
    const { data, shape: [logits, height, width], step } = this.made;
    const at = Math.min(height - 1, Math.floor(row / step)) * width + Math.min(width - 1, Math.floor(column / step));
    return probabilities(Array.from({ length: logits }, (_, place) => data[place * height * width + at]));
  }

  #paint() {
    if (!this.made) return;
    const { data, shape: [logits, height, width], step } = this.made, cells = height * width;
    const valueAt = logits === 1 ? at => probabilities([data[at]])[1] : at => classAt(data, at, cells) / (logits - 1);
    const values = Float32Array.from({ length: cells }, (_, at) => valueAt(at));
    Object.assign(this.canvas, { width, height, className: width < COARSE ? "pixels-coarse" : "" });
    this.canvas.getContext("2d").putImageData(pixels(values, width, height, { most: 1, signed: false }), 0, 0);
    const what = logits === 1 ? say("pixels.second", { name: this.store.payload.model.classes[1] }) : say("pixels.greys");
    this.note.textContent = step > 1 ? `${what}. ${say("pixels.sparse", { step })}` : what;
  }

  #write() {
    const { height: rows, width: columns, made: { step } } = this, { row, column } = this.cell ?? this.chosen;
    const [first, left] = [row, column].map(place => place - (place % step)); // of those that this file has
    const shares = this.#sharesAt({ row, column });
    const order = shares.map((value, place) => ({ class: place, value })).sort((one, other) => other.value - one.value);
    const { classes } = this.store.payload.model, most = this.#isOpen ? order.length : this.most;
    placed(this.mark, { rows: [first, first], columns: [left, left] }, rows, columns);
    this.at.setAttribute("aria-live", this.cell ? "off" : "polite"); // of what is pointed at a screen reader hears nothing
    this.at.textContent = say("pixels.at", { row: first + 1, column: left + 1, rows, columns });
    this.list.replaceChildren(ranked({ probabilities: order }, classes, most, () => { this.#isOpen = true }));
    Object.assign(this.element.dataset, { row: first, column: left });
  }

  #under({ clientX, clientY }) {
    const { left, top, width, height } = this.map.getBoundingClientRect();
    const place = (share, size) => Math.max(0, Math.min(size - 1, Math.floor(share * size)));
    return { row: place((clientY - top) / height, this.height), column: place((clientX - left) / width, this.width) };
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.made) return;
    const { height, width, made: { step } } = this, { row, column } = this.chosen;
    const [down, across] = ARROWS[event.key] ?? { Home: [-height, -width], End: [height, width] }[event.key] ?? [0, 0];
    if (!down && !across) return;
    event.preventDefault();
    const moved = (place, by, size) => Math.max(0, Math.min(size - 1, place + by * step));
    this.#choose({ row: moved(row, down, height), column: moved(column, across, width) });
  }

  #choose(cell) {
    kept = cell;
    this.show(null);
    if (this.made) this.picked(cell, this.made.shape[0] === 1 ? 0 : largest(this.#sharesAt(cell)));
  }
}

/** The most probable class of a pixel; NaN where some logit is no finite number. */
function classAt(data, at, cells) {
  let best = 0;
  for (let place = 0; place * cells < data.length; place++) {
    const logit = data[place * cells + at];
    if (!Number.isFinite(logit)) return NaN;
    if (logit > data[best * cells + at]) best = place;
  }
  return best;
}

/** The place of the largest; the first of equal ones. */
const largest = values => values.reduce((best, value, place) => (value > values[best] ? place : best), 0);
