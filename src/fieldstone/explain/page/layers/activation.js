// An activation: its curve with the chosen value on it, and what it does to the real map.

import { difference } from "fieldstone/arithmetic";
import { arraysOf, overChannels, valueFunction } from "fieldstone/elementwise";
import { channelOf, sides, valueAt } from "fieldstone/field";
import { power, relation, writtenFor } from "fieldstone/formulas";
import { curve } from "fieldstone/curve";
import { count, format, percent } from "fieldstone/numbers";
import { placeOf, pointwiseView } from "fieldstone/pointwise";
import { facts, line } from "fieldstone/sheet";
import { html } from "fieldstone/elements";
import { softmaxReckoning, softmaxTable } from "fieldstone/softmax";
import { addWords, say } from "fieldstone/words";

addWords({
  "activation.title": ["Activation: {name}", "활성화 함수: {name}"],
  "activation.sentence": ["{place} {name} of {x} is {y}.", "{place} {name}({x}) = {y}"],
  "activation.zero": ["0 after it", "지난 뒤 0인 칸"],
  "activation.here": ["this channel", "이 채널"],
  "activation.all": ["all channels", "모든 채널"],
  "activation.values": ["all values", "모든 값"],
  "activation.cells": ["{n} of {all}", "{n} / {all}"],
  "activation.options": ["Options", "설정"],
  "activation.channel": ["Channel", "채널"],
  "activation.together": ["Over the channels of this cell", "이 칸의 채널 전체"],
  "activation.gate": ["a = channel {a}, b = channel {b}: a × sigmoid(b)", "a = 채널 {a}, b = 채널 {b}: a × sigmoid(b)"],
});

export function view(root, store, block) {
  const { layer } = block;
  return pointwiseView(root, store, block, {
    title: say("activation.title", { name: layer.name }),
    alone: layer.name === "glu",
    between: layer.name === "softmax" || layer.name === "logsoftmax" ? 0 : 260,
    load: () => arraysOf(store, layer),
    build: layer.name === "glu" ? gate(layer) : overChannels(layer.name) ? together(layer) : single(layer),
  });
}

const single =
  layer =>
  ({ on, input, output, loaded: { weight }, middle }) => {
    const shares = zeroShares(on, output);
    options(on, layer);
    return (cell, { x, y }) => {
      const slope = weight && weight[weight.length === 1 ? 0 : cell.channel];
      const of = valueFunction(layer, slope);
      const own = Math.fround(of(x));
      middle.replaceChildren(curve(layer.name, of, channelOf(input, cell.channel), x, y));
      const chosen = weight ? { slope } : layer.options;
      const right = writtenFor(layer.name, x, chosen);
      on.arithmetic.replaceChildren(
        line.group(line.word(layer.name), line.sign("("), line.first(x), line.sign(")")),
        line.group(line.sign("="), html("span", {}, right)),
        line.group(line.sign(relation(layer.name, x, y, chosen)), line.result(own, y)),
      );
      on.sentence.textContent = say("activation.sentence", {
        place: placeOf(output, cell),
        name: layer.name,
        x: format(x),
        y: format(y),
      });
      on.note.textContent = difference({ own, recorded: y, size: Math.abs(x) });
      shares(cell.channel);
    };
  };

function options(on, { options: chosen }) {
  const names = Object.keys(chosen);
  if (names.length) on.box(say("activation.options"), facts(...names.map(name => [name, String(chosen[name])])));
}

/** A box that says what share of the output is 0; the function it gives is called with the channel. */
function zeroShares(on, output) {
  const zeros = values => values.reduce((sum, value) => sum + (value === 0 ? 1 : 0), 0);
  const all = zeros(output.data);
  const list = html("div", {});
  on.box(say("activation.zero"), list);
  const row = (name, number, total) => [
    say(name),
    html(
      "span",
      { "data-zeros": number },
      percent(number / total),
      html("small", {}, say("activation.cells", { n: count(number), all: count(total) })),
    ),
  ];
  return channel => {
    const values = channelOf(output, channel);
    const several = sides(output).channels > 1;
    const rows = [row(several ? "activation.all" : "activation.values", all, output.data.length)];
    if (several) rows.unshift(row("activation.here", zeros(values), values.length));
    list.replaceChildren(facts(...rows));
  };
}

/** softmax and logsoftmax: every channel of the chosen cell. */
const together =
  layer =>
  ({ on, input, output }) =>
  (cell, { x, y }) => {
    const { rows, columns } = sides(input);
    const at = cell.row * columns + cell.column;
    const along = ({ data, shape }) =>
      shape.length === 1
        ? Array.from(data)
        : Array.from({ length: shape[0] }, (_, channel) => data[channel * rows * columns + at]);
    const [values, results] = [along(input), along(output)];
    const chosen = input.shape.length === 1 ? cell.column : cell.channel;
    const reckoning = softmaxReckoning(values, chosen, results[chosen], layer.name === "logsoftmax");
    on.arithmetic.replaceChildren(reckoning.line);
    on.note.textContent = reckoning.note;
    on.sentence.textContent = say("activation.sentence", {
      place: placeOf(output, cell),
      name: layer.name,
      x: format(x),
      y: format(y),
    });
    on.aside.replaceChildren();
    on.box(
      say("activation.together"),
      softmaxTable(
        values,
        values.map((_, channel) => String(channel + 1)),
        chosen,
        say("activation.channel"),
      ),
    );
  };

/** glu: the first half of the channels times the sigmoid of the second. */
const gate =
  layer =>
  ({ on, input, output, middle }) => {
    const half = input.shape[0] / 2;
    return (cell, { y }) => {
      const vector = input.shape.length === 1;
      const other = vector ? { ...cell, column: cell.column + half } : { ...cell, channel: cell.channel + half };
      const [a, b] = [valueAt(input, cell), valueAt(input, other)];
      const of = value => a * (1 / (1 + Math.exp(-value)));
      const first = vector ? cell.column : cell.channel;
      middle.replaceChildren(
        curve("a × sigmoid(b)", of, vector ? input.data.subarray(half) : channelOf(input, other.channel), b, y),
      );
      on.arithmetic.replaceChildren(
        line.group(line.first(a), line.sign("×"), html("span", {}, `1 ÷ (1 + ${power(-b)})`)),
        line.group(line.sign("≈"), line.result(Math.fround(of(b)), y)),
      );
      const gated = say("activation.gate", { a: first + 1, b: first + half + 1 });
      on.sentence.textContent = `${placeOf(output, cell)} ${gated}`;
      on.note.textContent = difference({ own: of(b), recorded: y, size: Math.abs(a) });
    };
  };
