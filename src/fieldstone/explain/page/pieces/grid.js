// Stones: a grid of cells with their numbers in them, as SVG, for eyes, keys and screen readers.

import { exact, fit, format } from "fieldstone/numbers";
import { addWords, say } from "fieldstone/words";

addWords({
  "grid.cell": ["row {row}, column {column}: {value}", "{row}행 {column}열: {value}"],
  "grid.empty": ["not computed yet", "아직 계산 전"],
  "grid.pad": ["padding", "패딩"],
  "grid.skip": ["skipped by dilation", "팽창으로 건너뜀"],
  "grid.unread": ["read by no window", "어느 윈도우도 읽지 않음"],
  "grid.cut": ["cut off", "잘라 냄"],
  "grid.win": ["largest", "최댓값"],
  "grid.now": ["output now", "현재 출력"],
});

/** An SVG element; what is null among the attributes is left out. */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** How many characters a cell of that side holds. */
export function room(side) {
  return side < 22 ? 0 : side < 28 ? 2 : side < 32 ? 3 : side < 48 ? 4 : 6;
}

function letters(side, longest) {
  const share = [0.4, 0.4, 0.4, 0.4, 0.36, 0.27][longest] ?? 0.26;
  return Math.max(10, Math.round(Math.min(20, side * share)));
}

/** The 45° hatch of cells that dilation skips; one stands in the `defs` of each drawing that has such cells. */
export function hatch() {
  const turned = { patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  return svg("pattern", { id: "grid-hatch", width: 7, height: 7, ...turned },
    svg("line", { class: "grid-hatch", x1: 0, y1: 0, x2: 0, y2: 7 }));
}

/**
 * A grid of rows × columns stones with one tab stop; arrows move it. Its `element` goes into an SVG.
 *
 * @param {object} place name ("input", "kernel", "output"…), label, rows, columns, x, y, pitch and gap in pixels.
 *   firstRow, firstColumn (0): what the first cell is called, −1 with a padding of 1; rowStep, columnStep (1): how far
 *   the next one is. channel: its `data-` attribute. focusable (true): whether the keyboard reaches it.
 * @param {object} on moved(row, column): an arrow went there (without it the focus moves); entered(row, column): Enter;
 *   picked(row, column): a click.
 */
export class Stones {
  constructor(place, on = {}) {
    const usual = { gap: 6, firstRow: 0, firstColumn: 0, rowStep: 1, columnStep: 1, channel: null, focusable: true };
    Object.assign(this, { ...usual, ...place, on });
    this.side = this.pitch - this.gap;
    this.cells = Array.from({ length: this.rows * this.columns }, (_, index) => this.#placed(index));
    this.element = svg("g", { role: "grid", "aria-label": this.label, "data-grid": this.name,
      "aria-rowcount": this.rows, "aria-colcount": this.columns }, ...this.#lines());
    this.element.addEventListener("click", event => this.#clicked(event));
    this.element.addEventListener("keydown", event => this.#pressed(event));
    this.#call();
    this.stop(this.firstRow, this.firstColumn);
  }

  /**
   * Draws every cell as look(row, column) says: {value (a number; null is not computed yet), fill (a CSS colour), state
   * ("pad", "skip", "unread", "cut", "off", "win", "now" or none), tap (whether a frame of its own lies on it), under ("×−1"),
   * dots (a number), says (more for a screen reader)}.
   * `moved`, {firstRow, firstColumn, rowStep, columnStep}, moves a lens.
   */
  paint(look, moved = {}) {
    Object.assign(this, moved);
    this.#call();
    const looks = this.cells.map((_, index) => look(...this.#place(index)));
    const texts = fit(looks.map(look => look.value), room(this.side));
    const size = letters(this.side, Math.max(...texts.map(text => text.length)));
    this.cells.forEach((cell, index) => cell.paint(looks[index], texts[index], size));
  }

  /** Makes a cell the tab stop; the first one if it is not among them. */
  stop(row, column) {
    const resting = this.#at(row, column) ?? this.cells[0];
    if (!this.focusable) return resting.element;
    for (const { element } of this.cells) element.setAttribute("tabindex", element === resting.element ? 0 : -1);
    return resting.element;
  }

  focus(row, column) {
    this.stop(row, column).focus();
  }

  #place(index) {
    const [down, along] = [Math.floor(index / this.columns), index % this.columns];
    return [this.firstRow + down * this.rowStep, this.firstColumn + along * this.columnStep];
  }

  #at(row, column) {
    const [down, along] = [(row - this.firstRow) / this.rowStep, (column - this.firstColumn) / this.columnStep];
    const inside = down >= 0 && down < this.rows && along >= 0 && along < this.columns;
    return inside ? this.cells[down * this.columns + along] : undefined;
  }

  #placed(index) {
    const [down, along] = [Math.floor(index / this.columns), index % this.columns];
    return stone(this.x + along * this.pitch + this.gap / 2, this.y + down * this.pitch + this.gap / 2, this.side);
  }

  #lines() {
    return Array.from({ length: this.rows }, (_, row) => svg("g", { role: "row" },
      ...this.cells.slice(row * this.columns, (row + 1) * this.columns).map(cell => cell.element)));
  }

  #call() {
    this.cells.forEach(({ element: { dataset } }, index) => {
      [dataset.row, dataset.column] = this.#place(index);
      if (this.channel !== null) dataset.channel = this.channel;
    });
  }

  #clicked(event) {
    const from = placeOf(event);
    if (from) this.on.picked?.(...from);
  }

  #pressed(event) {
    const from = placeOf(event), by = arrows[event.key];
    if (!from || event.ctrlKey || event.metaKey || event.altKey) return;
    if (by) this.#arrow(from[0] + by[0] * this.rowStep, from[1] + by[1] * this.columnStep);
    else if (event.key === "Enter" && this.on.entered) this.on.entered(...from);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #arrow(row, column) {
    if (this.on.moved) this.on.moved(row, column);
    else if (this.#at(row, column)) this.focus(row, column);
  }
}

function placeOf(event) {
  const cell = event.target.closest(".grid-stone");
  return cell && [Number(cell.dataset.row), Number(cell.dataset.column)];
}

const plain = ["pad", "skip", "unread", "cut", "off"]; // states without a tint
const arrows = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** One stone: its ground, number, what stands under it, dots and focus ring. */
function stone(x, y, side) {
  const parts = {
    ground: svg("rect", { class: "grid-ground", width: side, height: side, rx: Math.min(7, side / 7) }),
    number: svg("text", { class: "grid-number", x: side / 2, dy: ".35em" }),
    under: svg("text", { class: "grid-under", x: side / 2, y: side - 6 }),
    dots: svg("g"),
    exact: svg("title"),
    ring: svg("rect", { class: "grid-ring", x: -2, y: -2, width: side + 4, height: side + 4, rx: 9 }),
  };
  const place = `translate(${x},${y})`;
  const element = svg("g", { class: "grid-stone", role: "gridcell", transform: place }, ...Object.values(parts));
  return { element, paint: (look, text, size) => paint(element, parts, side, look, text, size) };
}

function paint(element, { ground, number, under, dots, exact: title }, side, look, text, size) {
  const shown = !look.under || side < 34 ? "" : side < 48 ? look.under.replace("0.", ".") : look.under;
  const classes = ["grid-stone", look.state && `grid-${look.state}`, look.tap && "grid-tap"];
  element.setAttribute("class", classes.filter(Boolean).join(" "));
  ground.style.fill = plain.includes(look.state) || look.value === null ? "" : look.fill ?? "";
  number.textContent = text;
  number.style.fontSize = `${size}px`;
  number.setAttribute("y", side / 2 - (shown || look.dots ? 4 : 0));
  under.textContent = shown;
  under.style.fontSize = `${side < 44 ? 10 : 12}px`;
  dots.replaceChildren(...pips(look.dots ?? 0, side));
  element.dataset.value = look.value === null ? "" : exact(look.value);
  title.textContent = element.dataset.value.replace("-", "−");
  element.setAttribute("aria-label", spoken(element.dataset, look));
}

function spoken({ row, column }, look) {
  const value = look.value === null ? say("grid.empty") : format(look.value);
  const cell = say("grid.cell", { row: Number(row) + 1, column: Number(column) + 1, value });
  const state = look.state && look.state !== "off" ? say(`grid.${look.state}`) : "";
  return [cell, state, look.says ?? ""].filter(Boolean).join(", ");
}

function pips(number, side) {
  const apart = Math.min(7, (side - 10) / Math.max(1, number));
  return Array.from({ length: number }, (_, at) => svg("circle", {
    class: "grid-dot", r: side > 44 ? 2.2 : 1.8, cx: side / 2 + (at - (number - 1) / 2) * apart, cy: side - 7 }));
}
