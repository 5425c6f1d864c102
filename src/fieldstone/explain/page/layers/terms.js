// The terms of one output of a fully connected layer: the largest, the rest's sum, the bias, in a line and in boxes.

import { difference } from "fieldstone/arithmetic";
import { html } from "fieldstone/elements";
import { sides } from "fieldstone/field";
import { count, exact, format } from "fieldstone/numbers";
import { bar, line } from "fieldstone/sheet";
import { addWords, say } from "fieldstone/words";

addWords({
  "terms.bias": ["bias", "편향"],
  "terms.more": ["{n} more", "나머지 {n}개"],
  "terms.largest": ["Largest terms", "가장 큰 항"],
  "terms.from": ["channel {channel}, row {row}, column {column}", "채널 {channel}, {row}행 {column}열"],
  "terms.entry": ["input {index}", "입력 {index}"],
  "terms.sum": ["Sum", "합"],
  "terms.parts": ["Of plus and minus", "더한 것과 뺀 것"],
  "terms.plus": ["terms above 0", "0보다 큰 항"],
  "terms.minus": ["terms below 0", "0보다 작은 항"],
});

export const LISTED = 8;
const WRITTEN = 6;

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

const rank = product => (Number.isNaN(product) ? Infinity : Math.abs(product));

/** Writes the arithmetic of one output, and the boxes of its terms. */
export function tell(on, { terms, sum, size }, bias, recorded, origin) {
  const own = sum + (bias ?? 0);
  const { groups, products } = termLine(terms, bias);
  groups.at(-1).append(line.equals(products, recorded), line.result(own, recorded));
  on.arithmetic.replaceChildren(...groups);
  on.note.textContent = difference({ own, recorded, size });
  on.aside.replaceChildren();
  on.box(say("terms.largest"), termTable(terms, bias, own, origin));
  balance(on, terms);
}

/** The largest terms, the sum of the others and the bias as groups of a line, and as products for `equals`. */
export function termLine(terms, bias) {
  const [first, rest] = [terms.slice(0, WRITTEN), terms.slice(WRITTEN)];
  const others = rest.reduce((total, { product }) => total + product, 0);
  const plus = at => (at ? line.sign("+") : null);
  const groups = first.map(({ value, weight }, at) =>
    line.group(
      plus(at),
      html("span", {}, at ? line.value(value) : line.first(value), line.sign("×"), line.weight(weight)),
    ),
  );
  const more = html("span", { class: "linear-rest" }, line.value(others));
  if (rest.length)
    groups.push(line.group(line.sign("+"), line.sign(say("terms.more", { n: count(rest.length) })), more));
  groups.push(line.group(...(bias === null ? [] : [line.sign("+"), line.sign(say("terms.bias")), line.value(bias)])));
  const products = [
    ...first.map(({ value, weight }) => [value, weight]),
    ...(rest.length ? [[others]] : []),
    ...(bias === null ? [] : [[bias]]),
  ];
  return { groups, products };
}

/** A table with a bar for each of the largest terms, the others, the bias and their sum. */
export function termTable(terms, bias, own, origin) {
  const shown = terms.slice(0, LISTED),
    rest = terms.slice(LISTED);
  const most = Math.abs(terms[0].product) || 1;
  const row = (name, value, share, attributes = {}) =>
    html(
      "tr",
      attributes,
      html("td", {}, name),
      html("td", { "data-value": exact(value) }, format(value)),
      html("td", {}, share === null ? "" : bar(share)),
    );
  const others = rest.reduce((total, { product }) => total + product, 0);
  return html(
    "table",
    { class: "sheet-table linear-list" },
    html(
      "tbody",
      {},
      ...shown.map(({ index, product }) => row(origin(index), product, product / most, { "data-index": index })),
      rest.length
        ? row(say("terms.more", { n: count(rest.length) }), others, others / most, { class: "linear-others" })
        : null,
      bias === null ? null : row(say("terms.bias"), bias, bias / most),
      row(say("terms.sum"), own, null, { class: "linear-total" }),
    ),
  );
}

function balance(on, terms) {
  const sums = { plus: 0, minus: 0 };
  for (const { product } of terms) sums[product < 0 ? "minus" : "plus"] += product;
  const most = Math.max(sums.plus, -sums.minus) || 1;
  const row = name =>
    html(
      "tr",
      {},
      html("td", {}, say(`terms.${name}`)),
      html("td", { "data-value": exact(sums[name]) }, format(sums[name])),
      html("td", {}, bar(sums[name] / most)),
    );
  on.box(say("terms.parts"), html("table", { class: "sheet-table" }, html("tbody", {}, row("plus"), row("minus"))));
}

/** In words, where an entry of the input came from: a cell where the values were flattened, else its place. */
export function originOf(store, block) {
  let before = store.block(block.sources[0]);
  while (
    before &&
    ["identity", "activation", "batchnorm"].includes(before.layer.type) &&
    before.output_shape.length === 1 &&
    before.input_shape[0] === before.output_shape[0]
  )
    before = store.block(before.sources[0]);
  if (before?.layer.type !== "flatten" || before.input_shape.length !== 3)
    return index => say("terms.entry", { index: index + 1 });
  const { rows, columns } = sides({ shape: before.input_shape });
  return index =>
    say("terms.from", {
      channel: Math.floor(index / (rows * columns)) + 1,
      row: (Math.floor(index / columns) % rows) + 1,
      column: (index % columns) + 1,
    });
}
