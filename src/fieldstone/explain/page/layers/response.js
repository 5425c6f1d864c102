// Local response normalisation: a value over a power of the squares of the channels around it, at its own place.

import { difference } from "fieldstone/arithmetic";
import { html } from "fieldstone/elements";
import { valueAt } from "fieldstone/field";
import { count, exact, format } from "fieldstone/numbers";
import { placeOf, pointwiseView } from "fieldstone/pointwise";
import { bar, facts, line } from "fieldstone/sheet";
import { addWords, say } from "fieldstone/words";

addWords({
  "response.title": ["Local response normalisation", "국소 응답 정규화"],
  "response.sentence": [
    "{place} {x} over a power of the squares of {n} channels at this place.",
    "{place} 값 {x}, 같은 자리 채널 {n}개의 제곱으로 나눕니다.",
  ],
  "response.edge": [
    "{missing} of the {size} channels would lie outside: they count as 0.",
    "{size}개 채널 가운데 {missing}개는 범위를 벗어나 0으로 셉니다.",
  ],
  "response.squares": ["Squares", "제곱"],
  "response.channel": ["Channel {channel}", "채널 {channel}"],
  "response.sum": ["Sum", "합"],
  "response.more": ["{n} more", "나머지 {n}개"],
  "response.options": ["Options", "설정"],
});

const [MOST, LARGEST] = [12, 6]; // squares that are written out; of more the largest few

export function view(root, store, block) {
  const { layer } = block;
  return pointwiseView(root, store, block, { title: say("response.title"), between: 200, build: build(layer) });
}

/** The squares of the channels that a cell reads, and what it comes to. */
export function respond({ size, alpha, beta, k }, input, cell) {
  const first = cell.channel - Math.floor(size / 2);
  const around = Array.from({ length: size }, (_, at) => first + at);
  const read = around.filter(channel => channel >= 0 && channel < input.shape[0]).map(channel => {
    const value = valueAt(input, { ...cell, channel });
    return { channel, value, square: value * value };
  });
  const sum = read.reduce((total, { square }) => total + square, 0);
  const own = Math.fround(valueAt(input, cell) / (k + (alpha * sum) / size) ** beta);
  return { read, sum, own };
}

const build =
  layer =>
  ({ on, input, output, middle }) => {
    const { size, alpha, beta, k } = layer;
    on.box(say("response.options"), facts(["size", size], ["α", String(alpha)], ["β", String(beta)], ["k", String(k)]));
    return (cell, { x, y }) => {
      const found = respond(layer, input, cell);
      middle.replaceChildren(table(found, cell.channel));
      on.arithmetic.replaceChildren(...written(layer, x, y, found));
      on.sentence.textContent = say("response.sentence", {
        place: placeOf(output, cell),
        x: format(x),
        n: found.read.length,
      });
      const missing = size - found.read.length;
      on.note.textContent =
        difference({ own: found.own, recorded: y, size: Math.abs(found.own) }) ||
        (missing ? say("response.edge", { missing, size }) : "");
    };
  };

function written({ size, alpha, beta, k }, x, y, { read, own }) {
  const squares = chosen(read);
  const rest = read.length - squares.length;
  return [
    line.group(line.first(x), line.sign("÷ ("), line.first(k), line.sign("+"), line.first(alpha), line.sign("× (")),
    ...squares.map(({ value }, at) => line.group(at ? line.sign("+") : null, raised(value))),
    ...(rest ? [line.group(line.sign("+"), line.sign(say("response.more", { n: count(rest) })))] : []),
    line.group(line.sign(") ÷"), html("span", {}, String(size)), line.sign(")"), html("sup", {}, String(beta))),
    line.group(line.sign("≈"), line.result(own, y)),
  ];
}

const raised = value => html("span", {}, line.value(value), html("sup", {}, "2"));

/** The squares that are shown: all, or the largest few. */
const chosen = read =>
  read.length <= MOST ? read : [...read].sort((one, other) => other.square - one.square).slice(0, LARGEST);

/** The squares, a bar each, and their sum. */
function table({ read, sum }, own) {
  const shown = chosen(read);
  const most = Math.max(...shown.map(({ square }) => square)) || 1;
  const number = value => html("td", { "data-value": exact(value) }, format(value));
  const row = ({ channel, square }) =>
    html(
      "tr",
      { "data-channel": channel, class: channel === own ? "response-own" : null },
      html("td", {}, say("response.channel", { channel: channel + 1 })),
      number(square),
      html("td", {}, bar(square / most)),
    );
  return html(
    "table",
    { class: "sheet-table response" },
    html("caption", {}, say("response.squares")),
    html("tbody", {}, ...shown.map(row)),
    html("tfoot", {}, html("tr", {}, html("td", {}, say("response.sum")), number(sum), html("td", {}))),
  );
}
