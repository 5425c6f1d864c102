// The kernels of one convolution: as images where they read colours, all as grids page by page, one of them in numbers.

import { fill, signedColour } from "fieldstone/colours";
import { button, html } from "fieldstone/elements";
import { channelChooser, pitchFor } from "fieldstone/field";
import { Stones, svg } from "fieldstone/grid";
import { countIn, kernelAt, kernelsOf, largestOf } from "fieldstone/kernels";
import { count, exact, format, times } from "fieldstone/numbers";
import { keep, leftOut } from "fieldstone/sheet";
import { addWords, say } from "fieldstone/words";

addWords({
  "filtersheet.filter": ["Filter", "필터"],
  "filtersheet.input": ["Input channel", "입력 채널"],
  "filtersheet.images": ["As images", "이미지로 보기"],
  "filtersheet.images_how": ["Red, green and blue are the filter's three input channels. All are scaled by the layer's largest weight, {most}: 0 is mid-grey, brighter is plus, darker is minus.",
    "빨강, 초록, 파랑은 필터의 세 입력 채널입니다. 층에서 가장 큰 가중치 {most}(으)로 나눕니다. 0은 중간 회색, 밝을수록 +, 어두울수록 −입니다."],
  "filtersheet.grids": ["As grids", "격자로 보기"],
  "filtersheet.grids_how": ["A row a filter, a column an input channel. Filters {from} to {to} of {n}; input channels {first} to {last} of {inputs}.",
    "행은 필터, 열은 입력 채널. 필터 {from}–{to} / {n}, 입력 채널 {first}–{last} / {inputs}."],
  "filtersheet.wrapped_how": ["Filters {from} to {to} of {n}, each with {inputs} input channels side by side.", "필터 {from}–{to} / {n}, 필터마다 입력 채널 {inputs}개를 나란히 놓았습니다."],
  "filtersheet.label": ["Kernels of filters {from} to {to}", "필터 {from}–{to}의 커널"],
  "filtersheet.image_label": ["Filters {from} to {to} as images", "이미지로 본 필터 {from}–{to}"],
  "filtersheet.kernel": ["Filter {filter}, input channel {input}", "필터 {filter}, 입력 채널 {input}"],
  "filtersheet.bias": ["Its bias is {bias}.", "편향: {bias}"],
  "filtersheet.dead": ["Its weights are nearly 0.", "가중치가 거의 0입니다."],
  "filtersheet.silent": ["Its map is 0 everywhere on this image.", "이 이미지에서 맵이 모두 0입니다."],
  "filtersheet.weights": ["The weights", "가중치"],
});

const ACROSS = 16; // kernels in a row of a page, and rows
const GAP = 6, MARGIN = 40;

/** Draws the kernels of a block into `place`, once its arrays are there and unless `closed()` by then. */
export async function drawKernels(place, store, block, closed) {
  const { layer } = block;
  place.replaceChildren(html("h2", {}, html("code", {}, `${block.path}  ${block.notation}`)));
  const [weights, biases, dead] = await Promise.all([store.array(layer.weight), store.array(layer.bias), countIn(store, block)]);
  if (closed() || place.firstChild.textContent !== `${block.path}  ${block.notation}`) return;
  if (!weights) {
    place.append(leftOut(store, layer.weight, say("filtersheet.weights")));
    return;
  }
  const kernels = kernelsOf(layer, store.about(layer.weight).shape);
  const most = largestOf(weights) || 1;
  show(place, store, block, { kernels, weights, biases, dead, most });
}

function show(place, store, block, all) {
  const { kernels } = all;
  const chosen = keep(`filters ${block.path}`, () => ({ filter: 0, input: 0 }));
  const width = place.clientWidth - 2 * parseFloat(getComputedStyle(place).paddingLeft);
  const page = pageOf(kernels, width);
  const images = kernels.inputs === 3 && store.shape(block.sources[0])[0] === 3 ? html("div", { class: "filters-images" }) : null;
  const grids = html("div", { class: "filters-grids" });
  const number = html("div", { class: "filters-number" });
  const chooser = (name, total) => channelChooser(total, chosen[name], (to) => go({ [name]: to }), say(`filtersheet.${name}`));
  const choosers = { filter: chooser("filter", kernels.filters), input: chooser("input", kernels.inputs) };
  place.append(html("div", { class: "filters-choosers" }, choosers.filter, kernels.inputs > 1 ? choosers.input : null),
    ...[number, images, grids].filter(Boolean));
  function go(to) {
    Object.assign(chosen, to);
    for (const name of ["filter", "input"]) {
      const input = choosers[name].querySelector("input");
      if (document.activeElement !== input) input.value = chosen[name] + 1;
    }
    draw();
  }
  function draw() {
    number.replaceChildren(...inNumbers(all, chosen, Math.min(width, 420)));
    grids.replaceChildren(...asGrids(all, chosen, page, go));
    images?.replaceChildren(...asImages(all, chosen, width, go));
  }
  draw();
}

/** How kernels lie on a page: the side of a weight, columns of input channels, filters beside each other. */
function pageOf({ inputs, rows, columns }, width) {
  const unit = Math.max(3, Math.min(16, Math.floor(30 / Math.max(rows, columns))));
  const [across, down] = [columns * unit + GAP, rows * unit + GAP];
  const fit = Math.max(1, Math.min(ACROSS, Math.floor((width - MARGIN) / across)));
  const shown = Math.min(inputs, fit);
  const beside = Math.max(1, Math.floor(fit / (shown + 0.5)));
  return { unit, across, down, shown, beside: inputs > shown ? 1 : beside, filters: ACROSS * (inputs > shown ? 1 : beside) };
}

/** A canvas of a page of kernels on the sign scale, and what it holds. */
function asGrids({ kernels, weights, dead, most }, chosen, page, go) {
  const from = Math.floor(chosen.filter / page.filters) * page.filters;
  const first = Math.floor(chosen.input / page.shown) * page.shown;
  const filters = Math.min(page.filters, kernels.filters - from);
  const inputs = Math.min(page.shown, kernels.inputs - first);
  const block = MARGIN + page.shown * page.across + GAP;
  const spot = (filter, input) => ({ x: ((filter - from) % page.beside) * block + MARGIN + (input - first) * page.across,
    y: Math.floor((filter - from) / page.beside) * page.down + 3 });
  const rows = Math.ceil(filters / page.beside);
  const label = say("filtersheet.label", { from: from + 1, to: from + filters });
  const [canvas, pen] = sharp(page.beside * block, rows * page.down + 6, label);
  const unused = new Set([...(dead.dead.list ?? []), ...(dead.silent.list ?? [])]);
  for (let filter = from; filter < from + filters; filter += 1) {
    number(pen, filter, spot(filter, first), page, unused.has(filter));
    for (let input = first; input < first + inputs; input += 1) draw(pen, kernelAt(kernels, weights, filter, input), kernels, spot(filter, input), page.unit, most);
  }
  frame(pen, spot(chosen.filter, chosen.input), kernels, page.unit);
  canvas.addEventListener("click", ({ offsetX, offsetY }) => {
    const beside = Math.min(page.beside - 1, Math.floor(offsetX / block));
    const input = first + Math.floor((offsetX - beside * block - MARGIN) / page.across);
    const filter = from + Math.floor(offsetY / page.down) * page.beside + beside;
    if (filter < from + filters && input >= first && input < first + inputs) go({ filter, input });
  });
  const numbers = { from: from + 1, to: from + filters, n: count(kernels.filters), first: first + 1, last: first + inputs, inputs: count(kernels.inputs) };
  const how = say(page.beside > 1 ? "filtersheet.wrapped_how" : "filtersheet.grids_how", numbers);
  return [html("h3", {}, say("filtersheet.grids")), html("p", {}, how), html("div", { class: "filters-scroll" }, canvas), scale(most)];
}

/** A canvas with as many pixels as the screen has. */
function sharp(width, height, label) {
  const ratio = window.devicePixelRatio || 1;
  const canvas = html("canvas", { width: Math.ceil(width * ratio), height: Math.ceil(height * ratio), role: "img", "aria-label": label, style: `width:${width}px;height:${height}px` });
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  return [canvas, pen];
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

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
  return html("div", { class: "filters-scale" }, html("span", { "data-value": exact(-most) }, format(-most)), html("span", { class: "filters-ramp", "aria-hidden": "true" }),
    html("span", { "data-value": exact(most) }, format(most)));
}

/** The filters that read three colours, as images. */
function asImages({ kernels, weights, most }, chosen, width, go) {
  const side = 48, pitch = side + 8;
  const across = Math.max(1, Math.floor(width / pitch));
  const perPage = across * Math.ceil(64 / across);
  const from = Math.floor(chosen.filter / perPage) * perPage;
  const shown = Math.min(perPage, kernels.filters - from);
  const figures = Array.from({ length: shown }, (_, at) => {
    const filter = from + at;
    const canvas = html("canvas", { width: kernels.columns, height: kernels.rows, style: `width:${side}px;height:${Math.round((side * kernels.rows) / kernels.columns)}px` });
    canvas.getContext("2d").putImageData(image(kernels, weights, filter, most), 0, 0);
    const choose = () => { go({ filter }); document.querySelector(`[data-filter="${filter}"]`)?.focus() };
    return button(canvas, choose, { "data-filter": filter, "aria-label": `${say("filtersheet.filter")} ${filter + 1}`, "aria-pressed": String(filter === chosen.filter) });
  });
  return [html("h3", {}, say("filtersheet.images")), html("p", {}, say("filtersheet.images_how", { most: format(most) })),
    html("div", { class: "filters-thumbs", role: "group", "aria-label": say("filtersheet.image_label", { from: from + 1, to: from + shown }) }, ...figures)];
}

function image(kernels, weights, filter, most) {
  const picture = new ImageData(kernels.columns, kernels.rows);
  for (let input = 0; input < 3; input += 1) {
    kernelAt(kernels, weights, filter, input).forEach((weight, at) => { picture.data[4 * at + input] = Math.round(127.5 + (127.5 * weight) / most) });
  }
  for (let at = 3; at < picture.data.length; at += 4) picture.data[at] = 255;
  return picture;
}

/** The chosen kernel as stones with numbers, and what is known of its filter. */
function inNumbers({ kernels, weights, biases, dead, most }, { filter, input }, width) {
  const label = say("filtersheet.kernel", { filter: filter + 1, input: input + 1 });
  const kernel = kernelAt(kernels, weights, filter, input);
  const pitch = pitchFor(width, kernels.columns);
  const grid = new Stones({ name: "kernel", label, rows: kernels.rows, columns: kernels.columns, x: 0, y: 0, pitch, gap: pitch < 48 ? 4 : 6, channel: input });
  grid.paint((row, column) => {
    const value = kernel[row * kernels.columns + column];
    return { value, fill: fill("pos", value, { most, signed: true }) };
  });
  const facts = [
    biases ? say("filtersheet.bias", { bias: format(biases[filter]) }) : "",
    dead.dead.list?.includes(filter) ? say("filtersheet.dead") : "",
    dead.silent.list?.includes(filter) ? say("filtersheet.silent") : "",
  ].filter(Boolean).join(" ");
  const size = html("span", {}, times([kernels.rows, kernels.columns]));
  return [html("figure", { class: "field" }, html("figcaption", {}, html("b", {}, label), size),
    svg("svg", { class: "field-stones", width: kernels.columns * pitch, height: kernels.rows * pitch }, grid.element)),
    html("p", { class: "filters-facts", "aria-live": "polite" }, facts)];
}
