// A fully connected layer: one output at a time, its largest terms, the rest's sum and the bias.

import { answer } from "fieldstone/answer";
import { fill, scaleOf } from "fieldstone/colours";
import { html } from "fieldstone/elements";
import { caption, field, join as joined, map, pitchFor, sides } from "fieldstone/field";
import { Stones, svg } from "fieldstone/grid";
import { count, exact, format, term } from "fieldstone/numbers";
import { bar, difference, keep, leftOut, line, sheetView, steps } from "fieldstone/sheet";
import { addWords, say } from "fieldstone/words";

addWords({
  "linear.title": ["Fully connected", "완전 연결"],
  "linear.input": ["Input", "입력"],
  "linear.output": ["Output", "출력"],
  "linear.terms": ["The {n} largest terms, in the order of the input", "가장 큰 항 {n}개 (입력 순서)"],
  "linear.bias": ["bias", "편향"],
  "linear.more": ["{n} more", "나머지 {n}개"],
  "linear.sentence": ["Output {output}. {n} values times {n} weights, summed, plus the bias.", "출력 {output}. 값 {n}개와 가중치 {n}개의 곱의 합에 편향을 더합니다."],
  "linear.unbiased": ["Output {output}. {n} values times {n} weights, summed.", "출력 {output}. 값 {n}개와 가중치 {n}개의 곱의 합입니다."],
  "linear.largest": ["Largest terms", "가장 큰 항"],
  "linear.from": ["channel {channel}, row {row}, column {column}", "채널 {channel}, {row}행 {column}열"],
  "linear.entry": ["input {index}", "입력 {index}"],
  "linear.sum": ["Sum", "합"],
  "linear.parts": ["Of plus and minus", "더한 것과 뺀 것"],
  "linear.plus": ["terms above 0", "0보다 큰 항"],
  "linear.minus": ["terms below 0", "0보다 작은 항"],
  "linear.plus_weight": ["weight > 0", "가중치 > 0"],
  "linear.minus_weight": ["weight < 0", "가중치 < 0"],
  "linear.now": ["output now", "현재 출력"],
});

const LISTED = 8;
const WRITTEN = 6;

export function view(root, store, block) {
  const { weight, bias } = block.layer;
  const needed = [store.input(block), store.output(block.path), store.array(weight), store.array(bias)];
  const show = (on, input, output, weights, biases) => draw(on, store, block, { input, output, weights, biases });
  return sheetView(root, block, say("linear.title"), needed, show);
}

/** The products of one output: {value, weight, product, index} by size, their sum and the sum of their sizes. */
export function termsOf(input, weights, output) {
  const length = input.length;
  const terms = Array.from(input, (value, index) => {
    const weight = weights[output * length + index];
    return { index, value, weight, product: value * weight };
  });
  const sum = terms.reduce((total, { product }) => total + product, 0);
  const size = terms.reduce((total, { product }) => total + Math.abs(product), 0);
  terms.sort((one, other) => rank(other.product) - rank(one.product) || one.index - other.index);
  return { terms, sum, size };
}

const rank = (product) => (Number.isNaN(product) ? Infinity : Math.abs(product));

function draw(on, store, block, { input, output, weights, biases }) {
  if (block === store.blocks.at(-1)) on.place.append(...[answer(store)].filter(Boolean));
  if (!input || !output) {
    on.stage.append(leftOut(store, block.output, say("sheet.map_of", { path: block.path })));
    return;
  }
  const chosen = keep(block.path, () => ({ output: 0 }));
  const go = (index) => { chosen.output = index; show() };
  const drawn = stage(on, input, output, go);
  const largest = weights ? largestTerms(drawn, input) : null;
  if (!weights) on.stage.prepend(leftOut(store, block.layer.weight, say("sheet.weights")));
  const step = steps(on, output.data.length, go);
  const names = block === store.blocks.at(-1) && store.payload.model.classes.length === output.data.length ? store.payload.model.classes : null;
  const origin = originOf(store, block);
  function show() {
    const index = chosen.output;
    drawn.to.show({ channel: 0, row: 0, column: index });
    const label = names ? `${index + 1} (${names[index]})` : String(index + 1);
    on.sentence.textContent = say(biases ? "linear.sentence" : "linear.unbiased", { output: label, n: count(input.data.length) });
    if (weights) {
      const found = termsOf(input.data, weights, index);
      largest.show(found.terms);
      drawn.join(largest.node);
      tell(on, found, biases ? biases[index] : null, output.data[index], origin);
    }
    step.show(index, on.sentence.textContent);
  }
  show();
}

/** The input as a strip, a place for its largest terms, and the output; `join` draws the ray to the chosen output. */
function stage(on, input, output, go) {
  const width = on.width();
  const strip = map(input, { width, label: say("linear.input") }, null);
  strip.show(input.data, scaleOf(input.data));
  const terms = html("div", { class: "linear-terms" });
  const ray = svg("path", { class: "linear-ray" });
  const to = field(output, { name: "output", label: say("linear.output"), size: count(output.data.length), width, rows: 1,
    columns: Math.max(3, Math.min(11, Math.floor(width / 52))), pitch: 60, below: true }, ({ column }) => go(column));
  const first = html("figure", { class: "field" }, caption({ name: "input", label: say("linear.input"), size: count(input.data.length) }), strip.element);
  on.stage.append(html("div", { class: "linear" }, svg("svg", { class: "linear-under", "aria-hidden": "true" }, ray), first, terms, to.element));
  return { width: strip.width, room: width, terms, to, join: (from) => joined(ray, from, to.element.querySelector(".field-frame")) };
}

const TOP = 46; // pixels that the rays from the strip fall

/** The largest terms as stones, value over weight, between rays from the strip and lines to their sum. */
function largestTerms({ width, room, terms: place }, input) {
  const number = Math.min(input.data.length, LISTED, Math.max(3, Math.floor(room / 62)));
  const pitch = pitchFor(room, number);
  const left = Math.max(0, (width - number * pitch) / 2);
  const scale = scaleOf(input.data);
  const grid = new Stones({ name: "kernel", label: say("linear.terms", { n: number }), rows: 1, columns: number, x: left, y: TOP, pitch, gap: 6 });
  const rays = svg("g", { "aria-hidden": "true" });
  const sigma = { x: left + (number * pitch) / 2, y: TOP + pitch + 44 };
  const node = svg("g", { class: "linear-node", "aria-hidden": "true" }, svg("circle", { cx: sigma.x, cy: sigma.y, r: 14 }),
    svg("text", { x: sigma.x, y: sigma.y, dy: ".35em" }, "Σ"));
  place.replaceChildren(svg("svg", { width: Math.max(width, number * pitch), height: sigma.y + 16 }, rays, grid.element, node));
  function show(terms) {
    const shown = terms.slice(0, number).sort((one, other) => one.index - other.index);
    grid.paint((row, column) => {
      const { index, value, weight } = shown[column];
      return { value, fill: fill("in", value, scale), under: `×${term(weight)}`, says: `× ${term(weight)}, ${say("linear.entry", { index: index + 1 })}` };
    });
    grid.cells.forEach(({ element }, column) => Object.assign(element.dataset, { index: shown[column].index, weight: exact(shown[column].weight) }));
    rays.replaceChildren(...shown.flatMap((one, column) => raysOf(one, terms[0].product, left + (column + 0.5) * pitch,
      ((one.index + 0.5) / input.data.length) * width, sigma, pitch)));
  }
  return { show, node };
}

function raysOf({ product }, most, x, above, sigma, pitch) {
  const kind = product < 0 ? "linear-minus" : "linear-plus";
  return [
    svg("path", { class: "linear-ray", d: `M${above},0L${x},${TOP + 3}` }),
    svg("path", { class: `linear-sum ${kind}`, d: `M${x},${TOP + pitch - 3}L${sigma.x},${sigma.y}`, "stroke-width": 1 + 5 * share(product, most) }),
  ];
}

const share = (product, most) => { const part = Math.abs(product / most); return Number.isFinite(part) ? part : 0 };

function tell(on, { terms, sum, size }, bias, recorded, origin) {
  const own = sum + (bias ?? 0);
  const first = terms.slice(0, WRITTEN);
  const rest = terms.slice(WRITTEN);
  const others = rest.reduce((total, { product }) => total + product, 0);
  const products = [...first.map(({ value, weight }) => [value, weight]), ...(rest.length ? [[others]] : []), ...(bias === null ? [] : [[bias]])];
  const plus = (at) => (at ? line.sign("+") : null);
  on.arithmetic.replaceChildren(
    ...first.map(({ value, weight }, at) => line.group(plus(at), html("span", {}, at ? line.value(value) : line.first(value), line.sign("×"), line.weight(weight)))),
    ...(rest.length ? [line.group(line.sign("+"), line.sign(say("linear.more", { n: count(rest.length) })), html("span", { class: "linear-rest" }, line.value(others)))] : []),
    line.group(...(bias === null ? [] : [line.sign("+"), line.sign(say("linear.bias")), line.value(bias)]), line.equals(products, recorded), line.result(own, recorded)));
  on.note.textContent = difference(own, recorded, size);
  on.aside.replaceChildren();
  list(on, terms, bias, own, origin);
  balance(on, terms);
}

/** A box with a bar for each of the largest terms. */
function list(on, terms, bias, own, origin) {
  const shown = terms.slice(0, LISTED), rest = terms.slice(LISTED);
  const most = Math.abs(terms[0].product) || 1;
  const row = (name, value, share, attributes = {}) => html("tr", attributes, html("td", {}, name),
    html("td", { "data-value": exact(value) }, format(value)), html("td", {}, share === null ? "" : bar(share)));
  const others = rest.reduce((total, { product }) => total + product, 0);
  on.box(say("linear.largest"), html("table", { class: "sheet-table linear-list" }, html("tbody", {},
    ...shown.map(({ index, product }) => row(origin(index), product, product / most, { "data-index": index })),
    rest.length ? row(say("linear.more", { n: count(rest.length) }), others, others / most, { class: "linear-others" }) : null,
    bias === null ? null : row(say("linear.bias"), bias, bias / most),
    row(say("linear.sum"), own, null, { class: "linear-total" }))));
}

function balance(on, terms) {
  const sums = { plus: 0, minus: 0 };
  for (const { product } of terms) sums[product < 0 ? "minus" : "plus"] += product;
  const most = Math.max(sums.plus, -sums.minus) || 1;
  const row = (name) => html("tr", {}, html("td", {}, say(`linear.${name}`)), html("td", { "data-value": exact(sums[name]) }, format(sums[name])), html("td", {}, bar(sums[name] / most)));
  on.box(say("linear.parts"), html("table", { class: "sheet-table" }, html("tbody", {}, row("plus"), row("minus"))));
}

/** In words, where an entry of the input came from: a cell where the values were flattened, else its place. */
function originOf(store, block) {
  let before = store.block(block.sources[0]);
  while (before && ["identity", "activation", "batchnorm"].includes(before.layer.type) && before.output_shape.length === 1
    && before.input_shape[0] === before.output_shape[0]) before = store.block(before.sources[0]);
  if (before?.layer.type !== "flatten" || before.input_shape.length !== 3) return (index) => say("linear.entry", { index: index + 1 });
  const { rows, columns } = sides({ shape: before.input_shape });
  return (index) => say("linear.from", { channel: Math.floor(index / (rows * columns)) + 1,
    row: (Math.floor(index / columns) % rows) + 1, column: (index % columns) + 1 });
}
