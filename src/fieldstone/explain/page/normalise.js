// Batch normalisation: (x − μ) ÷ √(σ² + ε) × γ + β of one channel, and how its values lie before and after.

import { difference } from "fieldstone/arithmetic";
import { arraysOf, channelStatistics, normalise } from "fieldstone/elementwise";
import { histogram } from "fieldstone/curve";
import { channelOf } from "fieldstone/field";
import { svg } from "fieldstone/grid";
import { exact, format, term } from "fieldstone/numbers";
import { placeOf, pointwiseView } from "fieldstone/pointwise";
import { facts, line } from "fieldstone/sheet";
import { html } from "fieldstone/elements";
import { addWords, say } from "fieldstone/words";

addWords({
  "normalise.title": ["Batch normalisation", "배치 정규화"],
  "normalise.sentence": [
    "{place} {x} lies {z} deviations from the mean of channel {channel}; times γ, plus β.",
    "{place} {x}: 채널 {channel}의 평균에서 표준편차의 {z}배. 여기에 γ를 곱하고 β를 더합니다.",
  ],
  "normalise.statistics": ["Channel {channel}", "채널 {channel}"],
  "normalise.mean": ["μ, mean", "μ, 평균"],
  "normalise.variance": ["σ², variance", "σ², 분산"],
  "normalise.gamma": ["γ, scale", "γ, 배율"],
  "normalise.beta": ["β, shift", "β, 이동"],
  "normalise.from_training": [
    "μ and σ² are the running statistics of the training, not of this image.",
    "μ와 σ²는 이 이미지가 아니라 학습하면서 모은 통계입니다.",
  ],
  "normalise.before": ["before", "전"],
  "normalise.after": ["after", "후"],
  "normalise.histogram": ["{when}: {low} to {high}, mean {mean}", "{when}: {low} ~ {high}, 평균 {mean}"],
});

export function view(root, store, block) {
  return pointwiseView(root, store, block, {
    title: say("normalise.title"),
    between: WIDTH,
    load: () => arraysOf(store, block.layer),
    build: build(block.layer),
  });
}

const build =
  layer =>
  ({ on, input, output, loaded, middle }) => {
    const box = html("section", { class: "sheet-box card" });
    on.aside.append(box);
    return (cell, { x, y }) => {
      const channel = input.shape.length === 1 ? cell.column : cell.channel;
      const statistics = channelStatistics(layer, loaded, channel);
      const { standard, value } = normalise(x, statistics);
      middle.replaceChildren(
        html(
          "div",
          { class: "normalise-spreads" },
          spread("before", channelOf(input, cell.channel), "in"),
          spread("after", channelOf(output, cell.channel), "out"),
        ),
      );
      on.arithmetic.replaceChildren(...written(x, statistics, value, y));
      on.sentence.textContent = say("normalise.sentence", {
        place: placeOf(output, cell),
        x: format(x),
        z: format(standard),
        channel: channel + 1,
      });
      on.note.textContent =
        difference({
          own: value,
          recorded: y,
          size: Math.abs(standard * statistics.gamma) + Math.abs(statistics.beta),
        }) || say("normalise.from_training");
      box.replaceChildren(html("h2", {}, say("normalise.statistics", { channel: channel + 1 })), table(statistics));
    };
  };

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

function table({ mean, variance, eps, gamma, beta }) {
  const value = number => html("span", { "data-value": exact(number) }, term(number));
  return facts(
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
