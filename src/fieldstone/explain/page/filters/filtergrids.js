// A page of kernels as grids on the sign scale, on one canvas.

import { signedColour } from "fieldstone/colours";
import { html } from "fieldstone/elements";
import { kernelAt } from "fieldstone/kernels";
import { count, exact, format } from "fieldstone/numbers";
import { addWords, say } from "fieldstone/words";

addWords({
  "filtergrids.grids": ["As grids", "격자로 보기"],
  "filtergrids.grids_how": [
    "A row a filter, a column an input channel. Filters {from} to {to} of {n}; " +
      "input channels {first} to {last} of {inputs}.",
    "행은 필터, 열은 입력 채널. 필터 {from}–{to} / {n}, 입력 채널 {first}–{last} / {inputs}.",
  ],
  "filtergrids.wrapped_how": [
    "Filters {from} to {to} of {n}, each with {inputs} input channels side by side.",
    "필터 {from}–{to} / {n}, 필터마다 입력 채널 {inputs}개를 나란히 놓았습니다.",
  ],
  "filtergrids.single_how": ["Filters {from} to {to} of {n}, each with one input channel.",
    "필터 {from}–{to} / {n}, 필터마다 입력 채널 하나."],
  "filtergrids.label": ["Kernels of filters {from} to {to}", "필터 {from}–{to}의 커널"],
});

const ACROSS = 16; // kernels in a row of a page, and rows
const GAP = 6,
  MARGIN = 40;

/** How kernels lie on a page: the side of a weight, columns of input channels, filters beside each other. */
export function pageOf({ inputs, rows, columns }, width) {
  const unit = Math.max(3, Math.min(16, Math.floor(30 / Math.max(rows, columns))));
  const [across, down] = [columns * unit + GAP, rows * unit + GAP];
  const fit = Math.max(1, Math.min(ACROSS, Math.floor((width - MARGIN) / across)));
  const shown = Math.min(inputs, fit);
  const beside = Math.max(1, Math.floor(fit / (shown + 0.5)));
  return {
    unit,
    across,
    down,
    shown,
    beside: inputs > shown ? 1 : beside,
    filters: ACROSS * (inputs > shown ? 1 : beside),
  };
}

/** A canvas of a page of kernels on the sign scale, and what it holds. */
export function asGrids({ kernels, weights, dead, most }, chosen, page, go) {
  const from = Math.floor(chosen.filter / page.filters) * page.filters;
  const first = Math.floor(chosen.input / page.shown) * page.shown;
  const filters = Math.min(page.filters, kernels.filters - from);
  const inputs = Math.min(page.shown, kernels.inputs - first);
  const block = MARGIN + page.shown * page.across + GAP;
  const spot = (filter, input) => ({
    x: ((filter - from) % page.beside) * block + MARGIN + (input - first) * page.across,
    y: Math.floor((filter - from) / page.beside) * page.down + 3,
  });
  const rows = Math.ceil(filters / page.beside);
  const label = say("filtergrids.label", { from: from + 1, to: from + filters });
  const [canvas, pen] = sharp(page.beside * block, rows * page.down + 6, label);
  const unused = new Set([...(dead.dead.list ?? []), ...(dead.silent.list ?? [])]);
  for (let filter = from; filter < from + filters; filter += 1) {
    number(pen, filter, spot(filter, first), page, unused.has(filter));
    for (let input = first; input < first + inputs; input += 1)
      draw(pen, kernelAt(kernels, weights, filter, input), kernels, spot(filter, input), page.unit, most);
  }
  frame(pen, spot(chosen.filter, chosen.input), kernels, page.unit);
  canvas.addEventListener("click", ({ offsetX, offsetY }) => {
    const beside = Math.min(page.beside - 1, Math.floor(offsetX / block));
    const input = first + Math.floor((offsetX - beside * block - MARGIN) / page.across);
    const filter = from + Math.floor(offsetY / page.down) * page.beside + beside;
    if (filter < from + filters && input >= first && input < first + inputs) go({ filter, input });
  });
  const numbers = {
    from: from + 1,
    to: from + filters,
    n: count(kernels.filters),
    first: first + 1,
    last: first + inputs,
    inputs: count(kernels.inputs),
  };
  const how = page.beside === 1 ? "grids_how" : kernels.inputs === 1 ? "single_how" : "wrapped_how";
  return [
    html("h3", {}, say("filtergrids.grids")),
    html("p", {}, say(`filtergrids.${how}`, numbers)),
    html("div", { class: "filters-scroll" }, canvas),
    scale(most),
  ];
}

/** A canvas with as many pixels as the screen has. */
function sharp(width, height, label) {
  const ratio = window.devicePixelRatio || 1;
  const canvas = html("canvas", {
    width: Math.ceil(width * ratio),
    height: Math.ceil(height * ratio),
    role: "img",
    "aria-label": label,
    style: `width:${width}px;height:${height}px`,
  });
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  return [canvas, pen];
}

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function draw(pen, kernel, { columns }, { x, y }, unit, most) {
  kernel.forEach((weight, at) => {
    pen.fillStyle = Number.isNaN(weight) ? colour("bad") : `rgb(${signedColour(weight / most).join()})`;
    pen.fillRect(x + (at % columns) * unit, y + Math.floor(at / columns) * unit, unit, unit);
  });
  pen.strokeStyle = colour("line");
  pen.strokeRect(x - 0.5, y - 0.5, columns * unit + 1, (kernel.length / columns) * unit + 1);
}

/** A filter's number before its kernels; one that does nothing is struck through. */
function number(pen, filter, { x, y }, page, unused) {
  pen.font = "12px system-ui, sans-serif";
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  pen.fillStyle = colour(unused ? "bad" : "muted");
  const middle = y + (page.down - GAP) / 2;
  pen.fillText(unused ? `✕ ${filter + 1}` : String(filter + 1), x - 7, middle);
}

function frame(pen, { x, y }, { rows, columns }, unit) {
  pen.strokeStyle = colour("text");
  pen.lineWidth = 2.5;
  pen.strokeRect(x - 2, y - 2, columns * unit + 4, rows * unit + 4);
}

/** The ends of the sign scale and its 0. */
function scale(most) {
  return html(
    "div",
    { class: "filters-scale" },
    html("span", { "data-value": exact(-most) }, format(-most)),
    html("span", { class: "filters-ramp", "aria-hidden": "true" }),
    html("span", { "data-value": exact(most) }, format(most)),
  );
}
