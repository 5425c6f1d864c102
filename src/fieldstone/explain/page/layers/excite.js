// Squeeze and excitation: every channel times its gate, which the means of all channels decide by way of a few numbers.

import { difference } from "fieldstone/arithmetic";
import { fill, scaleOf } from "fieldstone/colours";
import { html } from "fieldstone/elements";
import { arraysOf, valueFunction } from "fieldstone/elementwise";
import { channelChooser, channelOf, field, writeChannel } from "fieldstone/field";
import { relation } from "fieldstone/formulas";
import { Stones, svg } from "fieldstone/grid";
import { count, exact, format, term } from "fieldstone/numbers";
import { placeOf, pointwiseView } from "fieldstone/pointwise";
import { leftOut, line } from "fieldstone/sheet";
import { termLine, termTable, termsOf } from "fieldstone/terms";
import { addWords, say } from "fieldstone/words";

addWords({
  "excite.title": ["Squeeze and excitation", "스퀴즈 앤 익사이테이션"],
  "excite.sentence": [
    "{place} {x} times the gate of its channel, {gate}.",
    "{place} 이 칸의 값 {x} × 이 채널의 게이트 {gate}",
  ],
  "excite.means": ["Means of the channels", "채널 평균"],
  "excite.squeezed": ["Squeezed by {name}", "압축한 값 ({name})"],
  "excite.gates": ["Gates by {name}", "게이트 ({name})"],
  "excite.gate": ["Gate", "게이트"],
  "excite.value": ["Squeezed value", "압축한 값"],
  "excite.sum": ["Squeezed value {number}: its terms", "압축한 값 {number}의 항"],
  "excite.terms": ["Gate of channel {channel}: its terms", "채널 {channel} 게이트의 항"],
  "excite.mean": ["mean of channel {channel}", "채널 {channel} 평균"],
  "excite.entry": ["squeezed value {number}", "압축한 값 {number}"],
  "excite.arrays": ["The weights of this layer", "이 층의 가중치"],
  "excite.own": [
    "Means, squeezed values and gates are of this image; this page has reckoned them.",
    "채널 평균, 압축한 값, 게이트는 이 이미지에서 이 페이지가 계산했습니다.",
  ],
});

const SIDE = 52; // pixels of the stone between the maps

export function view(root, store, block) {
  return pointwiseView(root, store, block, {
    title: say("excite.title"),
    between: 150,
    narrow: 128,
    load: () => arraysOf(store, block.layer),
    build: build(store, block.layer),
  });
}

/** The way from a map to its gates: {means, sums, squeezed, totals, gates}, numbers of channels or in between. */
export function excitation(layer, { reduce, reduce_bias: first, expand, expand_bias: second }, input) {
  const channels = input.shape[0];
  const means = Float32Array.from({ length: channels }, (_, channel) => mean(channelOf(input, channel)));
  const sums = first.map((bias, at) => dot(means, reduce, at) + bias);
  const squeezed = sums.map(valueFunction({ name: layer.activation }));
  const totals = second.map((bias, channel) => dot(squeezed, expand, channel) + bias);
  return { means, sums, squeezed, totals, gates: totals.map(valueFunction({ name: layer.gate })) };
}

const dot = (values, weights, row) =>
  values.reduce((sum, value, at) => sum + value * weights[row * values.length + at], 0);
const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;

const build =
  (store, layer) =>
  ({ on, input, output, loaded, middle, go }) => {
    const missing = Object.keys(loaded).find(name => !loaded[name]);
    if (missing) {
      on.stage.prepend(leftOut(store, layer[missing], say("excite.arrays")));
      return cell => {
        on.sentence.textContent = placeOf(output, cell);
      };
    }
    const found = excitation(layer, loaded, input);
    const chosen = { squeezed: 0 };
    const strips = stripsOf(on, layer, found, {
      channel: channel => go({ channel }),
      squeezed: number => show(number),
    });
    const stone = gateStone(middle);
    const squeezing = termsBox(on);
    const opening = termsBox(on);
    const chooser = channelChooser(found.squeezed.length, 0, number => show(number), say("excite.value"));
    squeezing.place.before(chooser);
    function show(number) {
      chosen.squeezed = number;
      writeChannel(chooser, number);
      strips.squeezed.show({ channel: 0, row: 0, column: number });
      const { terms, sum } = termsOf(found.means, loaded.reduce, number);
      const bias = loaded.reduce_bias[number];
      squeezing.write(
        say("excite.sum", { number: number + 1 }),
        termTable(terms, bias, sum + bias, channel => say("excite.mean", { channel: channel + 1 })),
        becomes(layer.activation, found.sums[number], found.squeezed[number]),
      );
    }
    show(chosen.squeezed);
    return (cell, { x, y }) => {
      const { channel } = cell, gate = found.gates[channel], bias = loaded.expand_bias[channel];
      const { terms, sum } = termsOf(found.squeezed, loaded.expand, channel);
      strips.means.show({ channel: 0, row: 0, column: channel });
      strips.gates.show({ channel: 0, row: 0, column: channel });
      stone(gate, found.gates);
      opening.write(
        say("excite.terms", { channel: channel + 1 }),
        termTable(terms, bias, sum + bias, number => say("excite.entry", { number: number + 1 })),
        becomes(layer.gate, found.totals[channel], gate),
      );
      on.arithmetic.replaceChildren(...written(layer, terms, bias, gate, x, y));
      const said = { place: placeOf(output, cell), x: format(x), gate: format(gate) };
      on.sentence.textContent = say("excite.sentence", said);
      const own = Math.fround(x * gate);
      on.note.textContent = difference({ own, recorded: y, size: Math.abs(x) }) || say("excite.own");
    };
  };

/** `sigmoid(terms + bias) ≈ gate`, then `x × gate ≈ y`. */
function written(layer, terms, bias, gate, x, y) {
  const { groups } = termLine(terms, bias);
  groups[0].prepend(line.word(layer.gate), line.sign("("));
  groups.at(-1).append(line.sign(") ≈"), line.value(gate));
  const own = Math.fround(x * gate);
  return [
    ...groups,
    line.group(line.first(x), line.sign("×"), line.value(gate), line.equals([[x, gate]], y), line.result(own, y)),
  ];
}

/** `relu(−0.31) = 0`: what a sum becomes. */
function becomes(name, sum, value) {
  const number = one => html("span", { "data-value": exact(one) }, term(one));
  const sign = ` ${relation(name, sum, value, {})} `;
  return html("p", { class: "excite-becomes" }, `${name}(`, number(sum), ")", sign, html("b", {}, number(value)));
}

/** A box whose heading, table and last line are written anew. */
function termsBox(on) {
  const heading = html("h2", {}), place = html("div", {});
  on.aside.append(html("section", { class: "sheet-box card" }, heading, place));
  return {
    place,
    write: (name, ...children) => {
      heading.textContent = name;
      place.replaceChildren(...children);
    },
  };
}

/** Means, squeezed values and gates as rows of stones under the maps. */
function stripsOf(on, layer, { means, squeezed, gates }, picked) {
  const strip = (name, values, more, choose) =>
    field(
      { data: values, shape: [values.length] },
      {
        width: on.width(),
        rows: 1,
        columns: Math.max(3, Math.min(11, Math.floor(on.width() / 46))),
        pitch: 46,
        name,
        label: say(`excite.${name}`, more),
        size: count(values.length),
      },
      ({ column }) => choose(column),
    );
  const strips = {
    means: strip("means", means, {}, picked.channel),
    squeezed: strip("squeezed", squeezed, { name: layer.activation }, picked.squeezed),
    gates: strip("gates", gates, { name: layer.gate }, picked.channel),
  };
  on.stage.append(html("div", { class: "excite" }, ...Object.values(strips).map(({ element }) => element)));
  return strips;
}

/** `× gate =` between the two maps; what is given back writes a gate. */
function gateStone(middle) {
  const sign = text => html("span", { class: "sheet-operator" }, text);
  const grid = new Stones({ name: "gate", label: say("excite.gate"), rows: 1, columns: 1, x: 0, y: 0, pitch: SIDE });
  const drawing = svg("svg", { width: SIDE, height: SIDE, class: "field-stones" }, grid.element);
  middle.classList.add("excite-gate");
  middle.replaceChildren(sign("×"), drawing, sign("="));
  return (gate, gates) => grid.paint(() => ({ value: gate, fill: fill("in", gate, scaleOf(gates)) }));
}
