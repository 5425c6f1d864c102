// The legend under the stones: only what is there.

import { html } from "fieldstone/elements";
import { svg } from "fieldstone/grid";
import { addWords, say } from "fieldstone/words";

addWords({
  "legend.title": ["Key", "범례"],
  "legend.window": ["window", "윈도우"],
  "legend.win": ["largest", "최댓값"],
  "legend.dots": ["a gradient returns here", "기울기가 돌아오는 칸"],
  "legend.now": ["output now", "현재 출력"],
  "legend.pad": ["padding", "패딩"],
  "legend.skip": ["skipped by dilation", "팽창으로 건너뜀"],
  "legend.unread": ["read by no window", "어느 윈도우도 읽지 않음"],
  "legend.off": ["weight without a value here", "여기서 쓰이지 않는 가중치"],
  "legend.positive": ["weight > 0", "가중치 > 0"],
  "legend.negative": ["weight < 0", "가중치 < 0"],
  "legend.plus": ["value > 0", "값 > 0"],
  "legend.minus": ["value < 0", "값 < 0"],
});

const SWATCHES = {
  window: ["fill: none; stroke: var(--text); stroke-width: 2.5"],
  win: ["fill: var(--mark)"],
  dots: ["fill: var(--in-1)", [6, 12]],
  now: ["fill: var(--out)"],
  pad: ["fill: none; stroke: var(--edge); stroke-width: 1.25; stroke-dasharray: 3 3"],
  skip: ["fill: url(#grid-hatch)"],
  unread: ["fill: var(--sunken); stroke: var(--edge); stroke-dasharray: 1 3"],
  off: ["fill: none; stroke: var(--line)"],
  positive: ["fill: var(--pos-1)"],
  plus: ["fill: var(--pos-1)"],
  negative: ["fill: var(--neg-1)"],
  minus: ["fill: var(--neg-1)"],
};

/** The entries of a scene of `looks.js`. */
export function legend(scene) {
  return html("ul", { class: "legend", "aria-label": say("legend.title") }, ...words(scene).map(entry));
}

function words({ trace, kernel, scales }) {
  const { layer, kind } = trace,
    isUp = layer.type === "upconv";
  const isPadded = !isUp && (layer.padding ?? []).flat().some(pad => pad > 0);
  const isUnread = [0, 1].some(axis => trace.read(axis).includes(false));
  return [
    "window",
    kind === "max" && "win",
    kind === "max" && "dots",
    "now",
    isPadded && "pad",
    layer.dilation?.some(step => step > 1) && "skip",
    isUnread && "unread",
    isUp && "off",
    kernel?.some(weight => weight > 0) && "positive",
    kernel?.some(weight => weight < 0) && "negative",
    !kernel && (scales.input.signed || scales.output.signed) && "plus",
    !kernel && (scales.input.signed || scales.output.signed) && "minus",
  ].filter(Boolean);
}

function entry(word) {
  const [style, dots = []] = SWATCHES[word];
  const square = svg("rect", { x: 1, y: 1, width: 16, height: 16, rx: 4, style });
  const marks = dots.map(cx => svg("circle", { cx, cy: 13, r: 2, style: "fill: var(--text)" }));
  return html(
    "li",
    {},
    svg("svg", { viewBox: "0 0 18 18", width: 18, height: 18, "aria-hidden": true }, square, ...marks),
    say(`legend.${word}`),
  );
}
