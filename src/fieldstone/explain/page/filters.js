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
  "filters.total": ["All", "전체"],
});

let opened = null; // the path whose kernels are shown

/** Whether a block has kernels to look at. */
export const hasKernels = ({ layer }) => ["conv", "upconv"].includes(layer.type);

export function view(root, store) {
  let closed = false;
  const blocks = store.blocks.filter(hasKernels);
  if (!blocks.some(({ path }) => path === opened)) opened = blocks[0]?.path ?? null;
  const counted = new Map(); // by path, what countIn gives
  const rows = new Map();
  const drawing = redrawing(root, draw);

  function draw() {
    root.replaceChildren();
    if (!blocks.length) root.append(html("p", {}, say("filters.none")));
    else {
      const kernels = html("section", { class: "filters-kernels card" });
      root.append(html("p", { class: "filters-meaning" }, say("filters.meaning")), table(), kernels);
      open(kernels);
    }
  }
  function open(place) {
    drawKernels(place, store, store.block(opened), () => closed);
  }
  function table() {
    const body = html("tbody", {}, ...blocks.map(block => row(block)));
    const heads = ["layer", "count", "dead", "silent"].map(name =>
      html("th", { scope: "col" }, say(`filters.${name}`)),
    );
    return html(
      "div",
      { class: "filters-list card", tabindex: 0, role: "region", "aria-label": say("filters.layer") },
      html(
        "table",
        { class: "filters-table" },
        html("thead", {}, html("tr", {}, ...heads)),
        body,
        html("tfoot", {}, total()),
      ),
    );
  }
  function row(block) {
    const choose = button(html("code", {}, `${block.path}  ${block.notation}`), () => {
      opened = block.path;
      mark();
      open(root.querySelector(".filters-kernels"));
    });
    const cells = { count: html("td", {}, count(block.output_shape[0])), dead: html("td", {}), silent: html("td", {}) };
    const element = html(
      "tr",
      { "data-path": block.path },
      html("th", { scope: "row" }, choose),
      cells.count,
      cells.dead,
      cells.silent,
    );
    rows.set(block.path, { element, cells, choose });
    if (counted.has(block.path)) fill(block.path);
    choose.setAttribute("aria-pressed", block.path === opened);
    return element;
  }
  function mark() {
    for (const [path, { choose }] of rows) choose.setAttribute("aria-pressed", path === opened);
  }
  function fill(path) {
    const { dead, silent: quiet } = counted.get(path);
    const { cells } = rows.get(path);
    put(cells.dead, dead);
    put(cells.silent, quiet);
  }
  function total() {
    const sum = name => [...counted.values()].reduce((amount, one) => amount + (one[name].list?.length ?? 0), 0);
    const filters = blocks.reduce((amount, { output_shape: [channels] }) => amount + channels, 0);
    return html(
      "tr",
      { class: "filters-total" },
      html("th", { scope: "row" }, say("filters.total")),
      html("td", {}, count(filters)),
      html("td", { "data-total": "dead" }, count(sum("dead"))),
      html("td", { "data-total": "silent" }, count(sum("silent"))),
    );
  }
  (async () => {
    for (const block of blocks) {
      counted.set(block.path, await countIn(store, block));
      if (closed) return;
      fill(block.path);
      root.querySelector(".filters-total")?.replaceWith(total());
    }
  })();
  return {
    close: () => {
      closed = true;
      drawing.close();
    },
  };
}

/** A cell of the table: a number, or why there is none. */
function put(cell, { list, why }) {
  cell.textContent = list ? count(list.length) : say(`filters.${why}`);
  cell.classList.toggle("filters-why", !list);
  if (list) cell.dataset.count = list.length;
}
