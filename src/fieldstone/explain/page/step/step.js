// A layer with windows, step by step: one output cell after another, in the numbers of this network and this image.

import { html } from "fieldstone/elements";
import { glimpse } from "fieldstone/glimpse";
import { changed } from "fieldstone/limits";
import { times } from "fieldstone/numbers";
import { load, saidMissing } from "fieldstone/parts";
import { Player } from "fieldstone/player";
import { notArrived, waiting } from "fieldstone/sheet";
import { Trace } from "fieldstone/trace";
import { WhatIf, factsOf } from "fieldstone/whatif";
import { addWords, say } from "fieldstone/words";

addWords({
  "step.conv": ["Convolution", "합성곱"],
  "step.dilated": ["{name}, dilated", "{name}, 팽창"],
  "step.depthwise": ["Depthwise convolution", "채널별 합성곱"],
  "step.grouped": ["Grouped convolution", "그룹 합성곱"],
  "step.upconv": ["Transposed convolution", "전치 합성곱"],
  "step.maxpool": ["Max pooling", "최대 풀링"],
  "step.avgpool": ["Average pooling", "평균 풀링"],
  "step.globalmaxpool": ["Global max pooling", "전역 최대 풀링"],
  "step.globalavgpool": ["Global average pooling", "전역 평균 풀링"],
  "step.adaptivemaxpool": ["Adaptive max pooling", "적응 최대 풀링"],
  "step.adaptiveavgpool": ["Adaptive average pooling", "적응 평균 풀링"],
  "step.operation": ["Operation", "연산"],
});

const kept = new Map(); // by path: what a reader has chosen

function stateOf({ path }) {
  if (!kept.has(path)) {
    kept.set(path, { step: 0, channel: 0, input: 0, speed: 1, cursor: [0, 0], changes: {}, open: {} });
  }
  return kept.get(path);
}

/** The view of a block that slides windows, or pools all of its map. */
export function view(root, store, block) {
  const step = new Step(root, store, block);
  step.open();
  return { close: () => step.close() };
}

class Step {
  #isClosed = false;

  constructor(root, store, block) {
    Object.assign(this, { root, store, block, state: stateOf(block) });
    this.head = html("div", { class: "step-head" });
    this.main = html(
      "section",
      { class: "step-view card", tabindex: -1, "aria-labelledby": "step-title", "aria-busy": "true" },
      waiting(),
    );
    this.beside = html("div", { class: "step-beside" });
    root.append(html("div", { class: "step" }, this.head, this.main, this.beside));
    this.#title(block.layer);
  }

  async open() {
    try {
      this.arrays = await load(this.store, this.block);
    } catch (fault) {
      this.main.removeAttribute("aria-busy");
      if (!this.#isClosed) this.main.replaceChildren(notArrived(fault));
      return;
    }
    if (this.#isClosed) return;
    this.main.removeAttribute("aria-busy");
    if (this.arrays.isWhole) this.#begin();
    else await this.#glimpse();
  }

  close() {
    this.#isClosed = true;
    this.player?.close();
    this.seen?.close();
  }

  /** Without its numbers: what there is of its maps. */
  async #glimpse() {
    this.seen = await glimpse(this.store, this.block);
    if (this.#isClosed) return this.seen.close();
    this.main.replaceChildren(...this.#notes(), html("div", { class: "glimpse" }, ...this.seen.elements));
  }

  #begin() {
    const { arrays, block, state } = this;
    this.player = new Player(this.main, state, this.#notes());
    this.whatIf = new WhatIf({
      layer: arrays.layer,
      sides: arrays.shape.slice(1),
      changes: state.changes,
      changed: changes => this.#change(changes),
      facts: () => factsOf(block, this.#trace(), Object.keys(state.changes).length > 0),
    });
    this.beside.replaceWith(this.whatIf.element);
    this.#change(state.changes);
  }

  #trace() {
    const { layer, input, shape, recorded } = this.arrays,
      { changes } = this.state;
    const isChanged = Object.keys(changes).length > 0;
    return new Trace(changed(layer, changes), input, shape, isChanged ? null : recorded);
  }

  #change(changes) {
    this.state.changes = changes;
    const trace = this.#trace();
    this.state.step = Math.min(this.state.step, trace.steps - 1);
    this.whatIf.update(changes);
    this.#title(trace.layer, trace.size);
    this.player.show(trace, this.arrays);
  }

  #notes() {
    return saidMissing(this.arrays.missing).map(text => html("p", { class: "step-note" }, text));
  }

  #title(layer, size) {
    const { block } = this,
      [channels, ...sides] = block.output_shape;
    const made = size && sides.length ? times([channels, ...size.slice(-sides.length)]) : times(block.output_shape);
    const heading = html(
      "div",
      {},
      html("h1", { id: "step-title" }, titleOf(layer, block.input_shape[0])),
      html(
        "p",
        { class: "step-sub" },
        html("code", {}, block.notation),
        html("code", {}, `${times(block.input_shape)} → ${made}`),
      ),
    );
    const isFocused = this.head.contains(document.activeElement);
    this.head.replaceChildren(heading, ...(layer.type.endsWith("pool") ? [this.#kinds(layer)] : []));
    if (isFocused) this.head.querySelector("input:checked")?.focus();
  }

  /** The switch between max and average pooling. */
  #kinds(layer) {
    const family = layer.type.replace(/(max|avg)pool$/, "");
    const choice = kind => {
      const input = html("input", {
        type: "radio",
        name: "step-kind",
        value: kind,
        checked: layer.type === `${family}${kind}pool`,
      });
      input.addEventListener("change", () => this.whatIf?.become(`${family}${kind}pool`));
      return html("label", {}, input, html("span", {}, say(`step.${kind}pool`)));
    };
    return html(
      "fieldset",
      { class: "step-kinds" },
      html("legend", { class: "hidden" }, say("step.operation")),
      ...["max", "avg"].map(choice),
    );
  }
}

function titleOf(layer, channels) {
  const { type, groups, dilation } = layer;
  const isOwn = groups > 1 && groups === channels;
  const name = say(`step.${type !== "conv" || groups === 1 ? type : isOwn ? "depthwise" : "grouped"}`);
  const isDilated = type.endsWith("conv") && dilation.some(apart => apart > 1);
  return isDilated ? say("step.dilated", { name }) : name;
}
