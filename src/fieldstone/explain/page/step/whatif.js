// What if the layer were another: sliders for the numbers that torch accepts, switches, the output's size by the formula,
// and facts.

import { button, html } from "fieldstone/elements";
import { formula, kindOf, outputSize, slides, unread } from "fieldstone/layers";
import { changeable, changed, offered, refusal } from "fieldstone/limits";
import { count } from "fieldstone/numbers";
import { Switches, textOf } from "fieldstone/switches";
import { addWords, say } from "fieldstone/words";

addWords({
  "whatif.title": ["What if", "바꿔 보기"],
  "whatif.kernel": ["Kernel size", "커널 크기"],
  "whatif.stride": ["Stride", "스트라이드"],
  "whatif.padding": ["Padding", "패딩"],
  "whatif.dilation": ["Dilation", "팽창"],
  "whatif.sizes": ["Output sides", "출력 변"],
  "whatif.was": ["was {value}", "원래 {value}"],
  "whatif.reset": ["As in the network", "네트워크대로"],
  "whatif.kept": ["A trained kernel keeps its size.", "학습된 커널의 크기는 그대로입니다."],
  "whatif.whole": ["One window covers the whole map: nothing moves.", "윈도우 하나가 맵 전체를 덮습니다."],
  "whatif.below": ["Not below {least}: {why}.", "{least} 미만 불가: {why}."],
  "whatif.above": ["Not above {most}: {why}.", "{most} 초과 불가: {why}."],
  "whatif.half": ["padding may be half the kernel at most", "패딩은 커널의 절반까지만 됨"],
  "whatif.small": ["the window would not fit into the map", "윈도우가 맵 안에 들어가지 않음"],
  "whatif.reflect": ["reflect padding must be smaller than the map", "reflect 패딩은 맵의 변보다 작아야 함"],
  "whatif.circular": ["circular padding goes around the map once", "circular 패딩은 맵을 한 바퀴만 돎"],
  "whatif.more": ["output padding {n} must be smaller than stride or dilation",
    "출력 패딩 {n}: 스트라이드나 팽창보다 작아야 함"],
  "whatif.one": ["there would still be one window", "더 커도 윈도우는 하나"],
  "whatif.alone": ["a window would read padding alone", "패딩만 읽는 윈도우가 생김"],
  "whatif.single": ["a kernel of one cell has nothing to space out", "한 칸짜리 커널은 벌릴 간격이 없음"],
  "whatif.repeat": ["cells of the map would repeat", "맵의 칸이 되풀이됨"],
  "whatif.end": ["the slider ends here, though PyTorch takes more", "PyTorch는 더 큰 값도 받지만 이 슬라이더는 여기까지"],
  "whatif.average": ["PyTorch's average pooling has no dilation", "PyTorch의 평균 풀링에는 팽창이 없음"],
  "whatif.size": ["Output size", "출력 크기"],
  "whatif.rows": ["rows", "행"],
  "whatif.columns": ["columns", "열"],
  "whatif.share": [
    "Output i of {out} reads ⌊i×{side} ÷ {out}⌋ to ⌈(i+1)×{side} ÷ {out}⌉ − 1, from 0.",
    "출력 {out}칸 중 i는 ⌊i×{side} ÷ {out}⌋부터 ⌈(i+1)×{side} ÷ {out}⌉ − 1까지 읽습니다(0부터).",
  ],
  "whatif.unread": [
    "Read by no window, as the stride steps past the end: rows: {rows}, columns: {columns}.",
    "끝의 {rows}행과 {columns}열은 어느 윈도우도 읽지 않습니다. 스트라이드가 지나칩니다.",
  ],
  "whatif.computed": [
    "Computed by this page with the network's own weights; the network itself is unchanged.",
    "네트워크의 가중치로 이 페이지가 계산한 값입니다. 네트워크는 그대로입니다.",
  ],
  "whatif.parameters": ["Parameters", "파라미터"],
  "whatif.reads": ["Cells read", "읽는 칸"],
  "whatif.readsOf": ["{n} of {all}", "{n} / {all}"],
  "whatif.channels": ["{n} × {channels} channels", "{n} × 채널 {channels}개"],
  "whatif.field": ["Receptive field", "수용 영역"],
  "whatif.all": ["all of the image", "이미지 전체"],
});

const LETTERS = { kernel: "k", stride: "s", padding: "p", dilation: "d", sizes: "o" };

export class WhatIf {
  /**
   * @param scene {layer: as the network has it, sides: [height, width] of the input, changes, changed(changes),
   *   facts(): [[word, value]…] of the changed layer}.
   */
  constructor(scene) {
    Object.assign(this, scene);
    this.rows = Object.fromEntries(changeable(this.layer).map(key => [key, this.#row(key)]));
    this.switches = new Switches(this.layer, this.sides, change => this.#set({ ...this.changes, ...change }));
    this.reset = button(say("whatif.reset"), () => this.#set({}), { class: "ghost whatif-reset" });
    this.computed = html("p", { class: "whatif-note" }, say("whatif.computed"));
    this.element = html("aside", { class: "whatif" }, this.#sliders(), this.#size(), this.#box());
    this.update(this.changes);
  }

  /** Shows other changes. */
  update(changes) {
    this.changes = changes;
    const layer = changed(this.layer, changes),
      isChanged = Object.keys(changes).length > 0;
    for (const [key, row] of Object.entries(this.rows)) this.#write(key, row, layer);
    this.switches.write(layer);
    this.reset.hidden = this.computed.hidden = !isChanged;
    this.#writeSize(layer);
    this.list.replaceChildren(
      ...this.facts().flatMap(([word, value]) => [html("dt", {}, say(word)), html("dd", {}, value)]),
    );
  }

  #sliders() {
    const kept =
      this.layer.type === "conv" || this.layer.type === "upconv"
        ? say("whatif.kept")
        : this.layer.type.startsWith("global")
          ? say("whatif.whole")
          : null;
    const note = kept && html("p", { class: "whatif-note" }, kept);
    return html(
      "section",
      { class: "whatif-box card" },
      html("h2", {}, say("whatif.title")),
      ...Object.values(this.rows).map(row => row.element),
      ...this.switches.elements,
      note,
      this.computed,
      this.reset,
    );
  }

  #row(key) {
    const id = `whatif-${key}`,
      label = html("label", { for: id }, say(`whatif.${key}`), html("i", {}, LETTERS[key]));
    const slider = html("input", { type: "range", id, step: 1 }),
      value = html("output", { for: id });
    const was = html("span", { class: "whatif-was" }),
      note = html("small", { id: `${id}-note` });
    slider.setAttribute("aria-describedby", note.id);
    slider.addEventListener("input", () => this.#set({ ...this.changes, [key]: Number(slider.value) }));
    return { element: html("div", { class: "whatif-row" }, label, slider, value, was, note), slider, value, was, note };
  }

  /** Keeps only what differs from the network. */
  #set(changes) {
    const made = changed(this.layer, changes);
    const differing = Object.entries(changes).filter(([key]) => textOf(made, key) !== textOf(this.layer, key));
    this.changed(Object.fromEntries(differing));
  }

  /** Another kind of pooling; of the other changes none, where the kind does not take them. */
  become(type) {
    const made = { ...this.changes, type };
    this.#set(refusal(changed(this.layer, made), this.sides) ? { type } : made);
  }

  #write(key, { slider, value, was, note }, layer) {
    const isMean = key === "dilation" && kindOf(layer) === "mean";
    const range = isMean ? { least: 1, most: 1, above: "average" } : offered(layer, this.sides, key);
    const text = textOf(layer, key),
      network = textOf(this.layer, key),
      isChanged = text !== network;
    Object.assign(slider, {
      min: range.least,
      max: range.most,
      value: largest(layer, key),
      disabled: range.least === range.most,
    });
    const share = range.most > range.least ? (largest(layer, key) - range.least) / (range.most - range.least) : 0;
    slider.style.setProperty("--v", `${100 * share}%`);
    slider.setAttribute("aria-valuetext", isChanged ? `${text}, ${say("whatif.was", { value: network })}` : text);
    value.textContent = text;
    value.classList.toggle("whatif-changed", isChanged);
    was.textContent = isChanged ? say("whatif.was", { value: network }) : "";
    note.textContent = ["below", "above"]
      .filter(end => range[end])
      .map(end => say(`whatif.${end}`, { ...range, why: this.#why(range[end], layer) }))
      .join(" ");
  }

  #why(word, layer) {
    return say(`whatif.${word}`, { n: layer.output_padding?.join(", ") });
  }

  #size() {
    this.side = html("b");
    this.sideWas = html("p", { class: "whatif-was" });
    this.formulas = html("div", { class: "whatif-formulas" });
    this.edge = html("p", { class: "whatif-note", "data-unread": "" });
    return html(
      "section",
      { class: "whatif-box card" },
      html("h2", { class: "whatif-pair" }, html("span", {}, say("whatif.size")), this.side),
      this.sideWas,
      this.formulas,
      this.edge,
    );
  }

  #writeSize(layer) {
    const size = outputSize(layer, this.sides),
      network = outputSize(this.layer, this.sides);
    this.side.textContent = size.join(" × ");
    const isChanged = size.join() !== network.join();
    this.side.classList.toggle("whatif-changed", isChanged);
    this.sideWas.textContent = isChanged ? say("whatif.was", { value: network.join(" × ") }) : "";
    this.formulas.replaceChildren(...(slides(layer) ? this.#formulas(layer) : this.#shares(layer, size)));
    const [rows, columns] = unread(layer, this.sides);
    this.edge.hidden = rows + columns === 0;
    this.edge.textContent = say("whatif.unread", { rows, columns });
  }

  #formulas(layer) {
    const general =
      layer.type === "upconv"
        ? "(n − 1)×s − 2p + d(k−1) + o + 1"
        : layer.ceil_mode
          ? "⌈(n + 2p − d(k−1) − 1) ÷ s⌉ + 1"
          : "⌊(n + 2p − d(k−1) − 1) ÷ s⌋ + 1";
    const lines = [0, 1].map(axis => formula(layer, this.sides[axis], axis));
    const texts = lines.map(parts => parts.map(part => part.text).join("")),
      isSame = texts[0] === texts[1];
    const written = lines
      .slice(0, isSame ? 1 : 2)
      .map((parts, axis) =>
        html(
          "p",
          { class: "whatif-form" },
          isSame ? null : html("span", { class: "whatif-axis" }, say(axis ? "whatif.columns" : "whatif.rows")),
          ...parts.map(({ text, role }) => (role ? html("b", { class: `whatif-${role}` }, text) : text)),
        ),
      );
    return [html("p", { class: "whatif-form whatif-general" }, general), ...written];
  }

  #shares(layer, size) {
    if (layer.type.startsWith("global")) return [];
    const lines = [...new Set(size.map((out, axis) => say("whatif.share", { out, side: this.sides[axis] })))];
    return lines.map(line => html("p", { class: "whatif-note" }, line));
  }

  #box() {
    this.list = html("dl");
    return html("section", { class: "whatif-box card" }, this.list);
  }
}

function largest(layer, key) {
  return Math.max(...(key === "padding" ? layer.padding.flat() : layer[key]));
}

/** Of a layer its parameters and what a window reads; of the network's own also what a value sees of the image. */
export function factsOf(block, trace, isChanged) {
  const taps = trace.weighted ? trace.layer.kernel[0] * trace.layer.kernel[1] : trace.axes[0].taps * trace.axes[1].taps;
  const spans = trace.longest(0) * trace.longest(1),
    channels = trace.channelsOf(0).length;
  const reads = spans > taps ? say("whatif.readsOf", { n: count(taps), all: count(spans) }) : count(taps);
  const sees = block.sees_all ? say("whatif.all") : block.sees?.join(" × ");
  return [
    ["whatif.parameters", count(block.params)],
    ["whatif.reads", channels > 1 ? say("whatif.channels", { n: reads, channels: count(channels) }) : reads],
    ...(sees && !isChanged ? [["whatif.field", sees]] : []),
  ];
}
