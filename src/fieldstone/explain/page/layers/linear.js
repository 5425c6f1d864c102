// A fully connected layer: one output at a time, its largest terms, the rest's sum and the bias.

import { fill, scaleOf } from "fieldstone/colours";
import { html } from "fieldstone/elements";
import { caption, field, join as joined, map, pitchFor } from "fieldstone/field";
import { Stones, svg } from "fieldstone/grid";
import { count, exact, term } from "fieldstone/numbers";
import { keep, leftOut, mapLeftOut, sheetView, steps } from "fieldstone/sheet";
import { LISTED, originOf, tell, termsOf } from "fieldstone/terms";
import { addWords, say } from "fieldstone/words";

addWords({
  "linear.title": ["Fully connected", "완전 연결"],
  "linear.terms": ["The {n} largest terms, in the order of the input", "가장 큰 항 {n}개 (입력 순서)"],
  "linear.weights": ["The weights of this layer", "이 층의 가중치"],
  "linear.sentence": [
    "Output {output}. {n} values times {n} weights, summed, plus the bias.",
    "출력 {output}. 값 {n}개와 가중치 {n}개의 곱의 합에 편향을 더합니다.",
  ],
  "linear.unbiased": [
    "Output {output}. {n} values times {n} weights, summed.",
    "출력 {output}. 값 {n}개와 가중치 {n}개의 곱의 합입니다.",
  ],
});

export function view(root, store, block) {
  const { weight, bias } = block.layer;
  const needed = [store.input(block), store.output(block.path), store.array(weight), store.array(bias)];
  const show = (on, input, output, weights, biases) => draw(on, store, block, { input, output, weights, biases });
  return sheetView(root, block, say("linear.title"), needed, show);
}

function draw(on, store, block, { input, output, weights, biases }) {
  if (!input?.data || !output) {
    on.stage.append(mapLeftOut(store, output ? block.sources[0] : block.path));
    return;
  }
  const chosen = keep(block.path, () => ({ output: 0 }));
  const go = index => {
    chosen.output = index;
    show();
  };
  const drawn = stage(on, input, output, go);
  const largest = weights ? largestTerms(drawn, input) : null;
  if (!weights) on.stage.prepend(leftOut(store, block.layer.weight, say("linear.weights")));
  const step = steps(on, output.data.length, go);
  const names =
    block === store.blocks.at(-1) && store.payload.model.classes.length === output.data.length
      ? store.payload.model.classes
      : null;
  const origin = originOf(store, block);
  function show() {
    const index = chosen.output;
    drawn.to.show({ channel: 0, row: 0, column: index });
    const label = names ? `${index + 1} (${names[index]})` : String(index + 1);
    on.sentence.textContent = say(biases ? "linear.sentence" : "linear.unbiased", {
      output: label,
      n: count(input.data.length),
    });
    if (weights) {
      const found = termsOf(input.data, weights, index);
      largest.show(found.terms);
      drawn.join(largest.node);
      tell(on, found, biases ? biases[index] : null, output.data[index], origin);
    }
    step.show(index);
  }
  show();
}

/** The input as a strip, a place for its largest terms, and the output; `join` draws the ray to the chosen output. */
function stage(on, input, output, go) {
  const width = on.width();
  const strip = map(input, { width, label: say("words.input") }, null);
  strip.show(input.data, scaleOf(input.data));
  const terms = html("div", { class: "linear-terms" });
  const ray = svg("path", { class: "linear-ray" });
  const to = field(
    output,
    {
      name: "output",
      label: say("words.output"),
      size: count(output.data.length),
      width,
      rows: 1,
      columns: Math.max(3, Math.min(11, Math.floor(width / 52))),
      pitch: 60,
      below: true,
    },
    ({ column }) => go(column),
  );
  const first = html(
    "figure",
    { class: "field" },
    caption({ name: "input", label: say("words.input"), size: count(input.data.length) }),
    strip.element,
  );
  on.stage.append(
    html(
      "div",
      { class: "linear" },
      svg("svg", { class: "linear-under", "aria-hidden": "true" }, ray),
      first,
      terms,
      to.element,
    ),
  );
  return {
    width: strip.width,
    room: width,
    terms,
    to,
    join: from => joined(ray, from, to.element.querySelector(".field-frame")),
  };
}

const TOP = 46; // pixels that the rays from the strip fall

/** The largest terms as stones, value over weight, between rays from the strip and lines to their sum. */
function largestTerms({ width, room, terms: place }, input) {
  const number = Math.min(input.data.length, LISTED, Math.max(3, Math.floor(room / 62)));
  const pitch = pitchFor(room, number);
  const left = Math.max(0, (width - number * pitch) / 2);
  const scale = scaleOf(input.data);
  const grid = new Stones({
    name: "kernel",
    label: say("linear.terms", { n: number }),
    rows: 1,
    columns: number,
    x: left,
    y: TOP,
    pitch,
    gap: 6,
  });
  const rays = svg("g", { "aria-hidden": "true" });
  const sigma = { x: left + (number * pitch) / 2, y: TOP + pitch + 44 };
  const node = svg(
    "g",
    { class: "linear-node", "aria-hidden": "true" },
    svg("circle", { cx: sigma.x, cy: sigma.y, r: 14 }),
    svg("text", { x: sigma.x, y: sigma.y, dy: ".35em" }, "Σ"),
  );
  place.replaceChildren(
    svg("svg", { width: Math.max(width, number * pitch), height: sigma.y + 16 }, rays, grid.element, node),
  );
  function show(terms) {
    const shown = terms.slice(0, number).sort((one, other) => one.index - other.index);
    grid.paint((row, column) => {
      const { index, value, weight } = shown[column];
      return {
        value,
        fill: fill("in", value, scale),
        under: `×${term(weight)}`,
        says: `× ${term(weight)}, ${say("terms.entry", { index: index + 1 })}`,
      };
    });
    grid.cells.forEach(({ element }, column) =>
      Object.assign(element.dataset, { index: shown[column].index, weight: exact(shown[column].weight) }),
    );
    rays.replaceChildren(
      ...shown.flatMap((one, column) =>
        raysOf(
          one,
          terms[0].product,
          left + (column + 0.5) * pitch,
          ((one.index + 0.5) / input.data.length) * width,
          sigma,
          pitch,
        ),
      ),
    );
  }
  return { show, node };
}

function raysOf({ product }, most, x, above, sigma, pitch) {
  const kind = product < 0 ? "linear-minus" : "linear-plus";
  return [
    svg("path", { class: "linear-ray", d: `M${above},0L${x},${TOP + 3}` }),
    svg("path", {
      class: `linear-sum ${kind}`,
      d: `M${x},${TOP + pitch - 3}L${sigma.x},${sigma.y}`,
      "stroke-width": 1 + 5 * share(product, most),
    }),
  ];
}

const share = (product, most) => {
  const part = Math.abs(product / most);
  return Number.isFinite(part) ? part : 0;
};
