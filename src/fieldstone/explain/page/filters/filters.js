// All convolutions of the network, how many of their filters do nothing, and the kernels of the chosen one.

import { button, html } from "fieldstone/elements";
import { drawKernels } from "fieldstone/filtersheet";
import { countIn } from "fieldstone/kernels";
import { count } from "fieldstone/numbers";
import { redrawing } from "fieldstone/sheet";
import { addWords, say } from "fieldstone/words";

addWords({
  "filters.none": ["This network has no convolution of two dimensions.", "이 네트워크에는 2차원 합성곱이 없습니다."],
  "filters.layer": ["Convolution", "합성곱"],
  "filters.count": ["Filters", "필터"],
  "filters.dead": ["Weights nearly 0", "가중치가 거의 0"],
  "filters.silent": ["Silent on this image", "이 이미지에서 침묵"],
  "filters.meaning": [
    "Dead filters, counted two ways. Weights nearly 0: every weight of the filter is at most a thousandth of its " +
      "layer's largest, so what it makes is nearly the same for any image. Silent on this image: its map is 0 " +
      "everywhere after its activation; on another image it may not be.",
    "죽은 필터를 두 가지로 셉니다. 가중치가 거의 0: 필터의 모든 가중치가 그 층의 최댓값의 1/1000 이하이므로, " +
      "어떤 이미지에서도 결과가 거의 같습니다. 이 이미지에서 침묵: 활성화 뒤의 맵이 모두 0이며, " +
      "다른 이미지에서는 다를 수 있습니다.",
  ],
  "filters.no_activation": ["no activation of its own", "바로 뒤에 활성화 없음"],
  "filters.left_out": ["not in this file", "이 파일에 없음"],
  "filters.lost": ["did not arrive", "받지 못함"],
  "filters.total": ["All", "전체"],
  "filters.counted": ["{n} of {of} counted", "센 {of}개 가운데 {n}개"],
});

const LOST = { dead: { why: "lost" }, silent: { why: "lost" } };

let opened = null; // the path whose kernels are shown

/** Whether a block has kernels to look at. */
const hasKernels = ({ layer }) => ["conv", "upconv"].includes(layer.type);

export function view(root, store) {
  return new Filters(root, store);
}

class Filters {
  isClosed = false;
  counted = new Map(); // by path, what countIn gives
  rows = new Map(); // by path, {cells, choose}

  constructor(root, store) {
    Object.assign(this, { root, store, blocks: store.blocks.filter(hasKernels) });
    if (!this.blocks.some(({ path }) => path === opened)) opened = this.blocks[0]?.path ?? null;
    this.drawing = redrawing(root, () => this.#draw());
    this.#countAll();
  }

  close() {
    this.isClosed = true;
    this.drawing.close();
  }

  #draw() {
    this.root.replaceChildren();
    if (!this.blocks.length) return this.root.append(html("p", {}, say("filters.none")));
    this.kernels = html("section", { class: "filters-kernels card" });
    this.total = this.#total();
    this.root.append(html("p", { class: "filters-meaning" }, say("filters.meaning")), this.#table(), this.kernels);
    this.#open(opened);
  }

  #open(path) {
    opened = path;
    for (const [one, { choose }] of this.rows) choose.setAttribute("aria-pressed", one === opened);
    drawKernels(this.kernels, this.store, this.store.block(path), () => this.isClosed || opened !== path);
  }

  #table() {
    const heads = ["layer", "count", "dead", "silent"].map(name =>
      html("th", { scope: "col" }, say(`filters.${name}`)),
    );
    const body = html("tbody", {}, ...this.blocks.map(block => this.#row(block)));
    const table = html("table", { class: "filters-table" }, html("thead", {}, html("tr", {}, ...heads)), body);
    table.append(html("tfoot", {}, this.total));
    const label = say("filters.layer");
    return html("div", { class: "filters-list card", tabindex: 0, role: "region", "aria-label": label }, table);
  }

  #row({ path, notation, output_shape: [channels] }) {
    const choose = button(html("code", {}, `${path}  ${notation}`), () => this.#open(path));
    const cells = { count: html("td", {}, count(channels)), dead: html("td"), silent: html("td") };
    this.rows.set(path, { cells, choose });
    if (this.counted.has(path)) this.#fill(path);
    return html("tr", { "data-path": path }, html("th", { scope: "row" }, choose), ...Object.values(cells));
  }

  async #countAll() {
    for (const block of this.blocks) {
      this.counted.set(block.path, await countIn(this.store, block).catch(() => LOST));
      if (this.isClosed) return;
      this.#fill(block.path);
      const before = this.total;
      before.replaceWith((this.total = this.#total()));
    }
  }

  #fill(path) {
    const { cells } = this.rows.get(path);
    for (const name of ["dead", "silent"]) put(cells[name], this.counted.get(path)[name]);
  }

  #total() {
    const filters = blocks => blocks.reduce((amount, { output_shape: [channels] }) => amount + channels, 0);
    const all = filters(this.blocks);
    const shown = name => {
      if (this.counted.size < this.blocks.length) return "…";
      const known = this.blocks.filter(({ path }) => this.counted.get(path)[name].list), of = filters(known);
      const n = count(known.reduce((amount, { path }) => amount + this.counted.get(path)[name].list.length, 0));
      return of === all ? n : say("filters.counted", { n, of: count(of) });
    };
    const cells = ["dead", "silent"].map(name => html("td", { "data-total": name }, shown(name)));
    const label = html("th", { scope: "row" }, say("filters.total"));
    return html("tr", { class: "filters-total" }, label, html("td", {}, count(all)), ...cells);
  }
}

/** A cell of the table: a number, or why there is none. */
function put(cell, { list, why }) {
  cell.textContent = list ? count(list.length) : say(`filters.${why}`);
  cell.classList.toggle("filters-why", !list);
  if (list) cell.dataset.count = list.length;
}
