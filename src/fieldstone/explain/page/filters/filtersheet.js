// The kernels of one convolution: as images where they read colours, all as grids page by page, one of them in numbers.

import { fill } from "fieldstone/colours";
import { html } from "fieldstone/elements";
import { channelChooser, pitchFor } from "fieldstone/field";
import { asGrids, pageOf } from "fieldstone/filtergrids";
import { asImages } from "fieldstone/filterimages";
import { Stones, svg } from "fieldstone/grid";
import { countIn, kernelAt, kernelsOf, largestOf } from "fieldstone/kernels";
import { format, times } from "fieldstone/numbers";
import { keep, leftOut, notArrived } from "fieldstone/sheet";
import { addWords, say } from "fieldstone/words";

addWords({
  "filtersheet.filter": ["Filter", "필터"],
  "filtersheet.input": ["Input channel", "입력 채널"],
  "filtersheet.kernel": ["Filter {filter}, input channel {input}", "필터 {filter}, 입력 채널 {input}"],
  "filtersheet.bias": ["Its bias is {bias}.", "편향: {bias}"],
  "filtersheet.dead": ["Its weights are nearly 0.", "가중치가 거의 0입니다."],
  "filtersheet.silent": ["Its map is 0 everywhere on this image.", "이 이미지에서 맵이 모두 0입니다."],
  "filtersheet.weights": ["The weights", "가중치"],
});

/** Draws the kernels of a block into `place`, once its arrays are there and unless `closed()` by then. */
export async function drawKernels(place, store, block, closed) {
  const { layer } = block;
  place.replaceChildren(html("h2", {}, html("code", {}, `${block.path}  ${block.notation}`)));
  const needed = [store.array(layer.weight), store.array(layer.bias), countIn(store, block)];
  const [weights, biases, dead, fault] = await Promise.all(needed).catch(reason => [null, null, null, reason]);
  if (closed()) return;
  if (fault) return place.append(notArrived(fault));
  if (!weights) return place.append(leftOut(store, layer.weight, say("filtersheet.weights")));
  const kernels = kernelsOf(layer, store.about(layer.weight).shape);
  show(place, store, block, { kernels, weights, biases, dead, most: largestOf(weights) || 1 });
}

function show(place, store, block, all) {
  const { kernels } = all;
  const chosen = keep(`filters ${block.path}`, () => ({ filter: 0, input: 0 }));
  const width = place.clientWidth - 2 * parseFloat(getComputedStyle(place).paddingLeft);
  const page = pageOf(kernels, width);
  const images =
    kernels.inputs === 3 && store.shape(block.sources[0])[0] === 3 ? html("div", { class: "filters-images" }) : null;
  const grids = html("div", { class: "filters-grids" });
  const number = html("div", { class: "filters-number" });
  const chooser = (name, total) =>
    channelChooser(total, chosen[name], to => go({ [name]: to }), say(`filtersheet.${name}`));
  const choosers = { filter: chooser("filter", kernels.filters), input: chooser("input", kernels.inputs) };
  place.append(
    html("div", { class: "filters-choosers" }, choosers.filter, kernels.inputs > 1 ? choosers.input : null),
    ...[number, images, grids].filter(Boolean),
  );
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

/** The chosen kernel as stones with numbers, and what is known of its filter. */
function inNumbers({ kernels, weights, biases, dead, most }, { filter, input }, width) {
  const label = say("filtersheet.kernel", { filter: filter + 1, input: input + 1 });
  const kernel = kernelAt(kernels, weights, filter, input);
  const pitch = pitchFor(width, kernels.columns);
  const grid = new Stones({
    name: "kernel",
    label,
    rows: kernels.rows,
    columns: kernels.columns,
    x: 0,
    y: 0,
    pitch,
    gap: pitch < 48 ? 4 : 6,
    channel: input,
  });
  grid.paint((row, column) => {
    const value = kernel[row * kernels.columns + column];
    return { value, fill: fill("pos", value, { most, signed: true }) };
  });
  const facts = [
    biases ? say("filtersheet.bias", { bias: format(biases[filter]) }) : "",
    dead.dead.list?.includes(filter) ? say("filtersheet.dead") : "",
    dead.silent.list?.includes(filter) ? say("filtersheet.silent") : "",
  ]
    .filter(Boolean)
    .join(" ");
  const size = html("span", {}, times([kernels.rows, kernels.columns]));
  return [
    html(
      "figure",
      { class: "field" },
      html("figcaption", {}, html("b", {}, label), size),
      svg("svg", { class: "field-stones", width: kernels.columns * pitch, height: kernels.rows * pitch }, grid.element),
    ),
    html("p", { class: "filters-facts", "aria-live": "polite" }, facts),
  ];
}
