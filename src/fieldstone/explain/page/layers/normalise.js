// Normalisation: (x − μ) ÷ √(σ² + ε) × γ + β, and how the values that share μ and σ² lie before and after.

import { difference } from "fieldstone/arithmetic";
import { arraysOf } from "fieldstone/elementwise";
import { histogram } from "fieldstone/curve";
import { indexOf } from "fieldstone/flatten";
import { sides } from "fieldstone/field";
import { svg } from "fieldstone/grid";
import { count, exact, format, term } from "fieldstone/numbers";
import { placeOf, pointwiseView } from "fieldstone/pointwise";
import { facts, leftOut, line } from "fieldstone/sheet";
import { normalise, statisticsOf } from "fieldstone/statistics";
import { html } from "fieldstone/elements";
import { addWords, say } from "fieldstone/words";

addWords({
  "normalise.batchnorm": ["Batch normalisation", "배치 정규화"],
  "normalise.groupnorm": ["Group normalisation", "그룹 정규화"],
  "normalise.instancenorm": ["Instance normalisation", "인스턴스 정규화"],
  "normalise.layernorm": ["Layer normalisation", "레이어 정규화"],
  "normalise.sentence": [
    "{place} {x} lies {z} deviations from the mean of {part}; times γ, plus β.",
    "{place} {x}: {part}의 평균에서 표준편차의 {z}배. 여기에 γ를 곱하고 β를 더합니다.",
  ],
  "normalise.channel": ["channel {channel}", "채널 {channel}"],
  "normalise.group": ["group {group}, channels {first} to {last}", "그룹 {group}, 채널 {first} ~ {last}"],
  "normalise.all": ["all values", "모든 값"],
  "normalise.mean": ["μ, mean", "μ, 평균"],
  "normalise.variance": ["σ², variance", "σ², 분산"],
  "normalise.gamma": ["γ, scale", "γ, 배율"],
  "normalise.beta": ["β, shift", "β, 이동"],
  "normalise.number": ["values", "값의 수"],
  "normalise.from_training": [
    "μ and σ² are the running statistics of the training, not of this image.",
    "μ와 σ²는 이 이미지가 아니라 학습하면서 모은 통계입니다.",
  ],
  "normalise.from_image": [
    "μ and σ² are of {n} values of this image; this page has reckoned them.",
    "μ와 σ²는 이 이미지의 값 {n}개에서 이 페이지가 계산했습니다.",
  ],
  "normalise.arrays": ["The numbers γ and β of this layer", "이 층의 γ와 β"],
  "normalise.before": ["before", "전"],
  "normalise.after": ["after", "후"],
  "normalise.histogram": ["{when}: {low} to {high}, mean {mean}", "{when}: {low} ~ {high}, 평균 {mean}"],
});

export function view(root, store, block) {
  return pointwiseView(root, store, block, {
    title: say(`normalise.${block.layer.type}`),
    between: WIDTH,
    load: () => arraysOf(store, block.layer),
    build: build(store, block.layer),
  });
}

const build =
  (store, layer) =>
  ({ on, input, output, loaded, middle }) => {
    const missing = Object.keys(loaded).find(name => !loaded[name]);
    if (missing) return without(on, output, leftOut(store, layer[missing], say("normalise.arrays")));
    const box = html("section", { class: "sheet-box card" });
    on.aside.append(box);
    const spreads = html("div", { class: "normalise-spreads" });
    middle.replaceChildren(spreads);
    const of = statisticsOf(layer, loaded, input);
    let drawn = null;
    return (cell, { x, y }) => {
      const statistics = of(indexOf(sides(input), cell));
      const { standard, value } = normalise(x, statistics);
      const part = nameOf(statistics, input);
      if (drawn !== statistics.part) spreads.replaceChildren(...histograms(input, output, statistics));
      drawn = statistics.part;
      on.arithmetic.replaceChildren(...written(x, statistics, value, y));
      on.sentence.textContent = say("normalise.sentence", {
        place: placeOf(output, cell),
        x: format(x),
        z: format(standard),
        part,
      });
      const from = say(`normalise.from_${layer.mean ? "training" : "image"}`, { n: numberOf(statistics) });
      on.note.textContent = difference({ own: value, recorded: y, size: sizeOf(x, statistics) }) || from;
      box.replaceChildren(html("h2", {}, part[0].toUpperCase() + part.slice(1)), table(statistics, !layer.mean));
    };
  };

/** Where the file has not all of its numbers: the maps alone. */
function without(on, output, note) {
  on.stage.prepend(note);
  return cell => {
    on.sentence.textContent = placeOf(output, cell);
  };
}

/** Whose mean and variance they are, in words. */
function nameOf({ part, first, end }, { data, shape: [channels] }) {
  const [from, to] = [first, end].map(place => (place * channels) / data.length);
  if (to - from === 1) return say("normalise.channel", { channel: from + 1 });
  return to - from === channels
    ? say("normalise.all")
    : say("normalise.group", { group: part + 1, first: from + 1, last: to });
}

const numberOf = ({ first, end }) => count(end - first);

/** The sum of the sizes of what is added and taken away: of x and μ little may be left. */
const sizeOf = (x, { mean, variance, eps, gamma, beta }) =>
  ((Math.abs(x) + Math.abs(mean)) / Math.sqrt(variance + eps)) * Math.abs(gamma) + Math.abs(beta);

/** Of the values that share mean and variance; of a vector, where each has its own, of all. */
function histograms(input, output, { first, end }) {
  const [from, to] = end - first === 1 ? [0, input.data.length] : [first, end];
  return [
    spread("before", input.data.subarray(from, to), "in"),
    spread("after", output.data.subarray(from, to), "out"),
  ];
}

function written(x, { mean, variance, eps, gamma, beta }, own, recorded) {
  const signs = { open: line.sign("("), minus: line.sign("−"), close: line.sign(")") };
  return [
    line.group(signs.open, line.first(x), signs.minus, line.value(mean), signs.close),
    line.group(line.sign("÷ √("), line.first(variance), line.sign("+"), line.value(eps), line.sign(")")),
    line.group(line.sign("×"), line.weight(gamma)),
    line.group(line.sign("+"), line.value(beta)),
    line.group(line.sign("≈"), line.result(own, recorded)),
  ];
}

function table(statistics, isOwn) {
  const { mean, variance, eps, gamma, beta } = statistics;
  const value = number => html("span", { "data-value": exact(number) }, term(number));
  return facts(
    ...(isOwn ? [[say("normalise.number"), numberOf(statistics)]] : []),
    [say("normalise.mean"), value(mean)],
    [say("normalise.variance"), value(variance)],
    ["ε", value(eps)],
    [say("normalise.gamma"), value(gamma)],
    [say("normalise.beta"), value(beta)],
  );
}

const [WIDTH, HEIGHT, BINS] = [200, 56, 32];

/** A histogram of the values, with 0 marked. */
function spread(when, values, role) {
  const finite = values.filter(Number.isFinite);
  const [low, high] = [finite.reduce((a, b) => Math.min(a, b), 0), finite.reduce((a, b) => Math.max(a, b), 0)];
  const mean = finite.reduce((sum, value) => sum + value, 0) / (finite.length || 1);
  const top = high > low ? high : low + 1;
  const counts = histogram(finite, low, top, BINS);
  const most = Math.max(...counts, 1);
  const text = say("normalise.histogram", {
    when: say(`normalise.${when}`),
    low: format(low),
    high: format(high),
    mean: format(mean),
  });
  const unit = WIDTH / BINS;
  const zero = ((0 - low) / (top - low)) * WIDTH;
  const drawing = svg(
    "svg",
    {
      class: "normalise-spread",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": text,
      "data-histogram": when,
    },
    ...counts.map((number, at) =>
      svg("rect", {
        class: `normalise-${role}`,
        x: at * unit + 0.5,
        width: unit - 1,
        y: HEIGHT - (number / most) * (HEIGHT - 4),
        height: (number / most) * (HEIGHT - 4),
        "data-count": number,
      }),
    ),
    svg("line", { class: "normalise-zero", x1: zero, x2: zero, y1: 0, y2: HEIGHT }),
  );
  return html("div", {}, drawing, html("p", {}, text));
}
