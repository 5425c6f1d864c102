// The curve of a function of one value, a dot where the chosen value is, and how the values of the map lie below it.

import { svg } from "fieldstone/grid";
import { exact, format } from "fieldstone/numbers";
import { addWords, say } from "fieldstone/words";

addWords({ "curve.label": ["Curve of {name}: x = {x} gives y = {y}", "{name}의 그래프: x = {x}, y = {y}"] });

const [WIDTH, HEIGHT] = [240, 190];
const EDGE = { left: 34, right: 12, top: 14, bottom: 24 };
const SAMPLES = 240;

/**
 * @param {string} name of the function, for a screen reader.
 * @param {(x: number) => number} of the function.
 * @param {Float32Array} values of the map: they set the range of x.
 * @param {number} x the chosen value.
 * @param {number} y what came of it.
 */
export function curve(name, of, values, x, y) {
  const [low, high] = range(values);
  const xs = Array.from({ length: SAMPLES + 1 }, (_, at) => low + ((high - low) * at) / SAMPLES);
  const ys = xs.map(of);
  const [bottom, top] = padded(ys.filter(Number.isFinite));
  const across = value => EDGE.left + ((value - low) / (high - low)) * (WIDTH - EDGE.left - EDGE.right);
  const up = value => HEIGHT - EDGE.bottom - ((value - bottom) / (top - bottom)) * (HEIGHT - EDGE.top - EDGE.bottom);
  const path = xs
    .map((value, at) =>
      Number.isFinite(ys[at])
        ? `${at && Number.isFinite(ys[at - 1]) ? "L" : "M"}${across(value).toFixed(1)},${up(ys[at]).toFixed(1)}`
        : "",
    )
    .join("");
  const drawing = svg(
    "svg",
    {
      class: "curve",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      width: WIDTH,
      height: HEIGHT,
      role: "img",
      "aria-label": say("curve.label", { name, x: format(x), y: format(y) }),
    },
    ...bars(values, low, high, across),
    ...axes(across, up, { low, high, bottom, top }),
    svg("path", { class: "curve-line", d: path }),
  );
  if (Number.isFinite(x) && Number.isFinite(y))
    drawing.append(...drops(across(x), up(y), across, up, { x, y, bottom, low }));
  return drawing;
}

/** The finite values' range, with −2 to 2 in it. */
function range(values) {
  let [low, high] = [-2, 2];
  for (const value of values)
    if (Number.isFinite(value)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  return [low - (high - low) * 0.04, high + (high - low) * 0.04];
}

function padded(ys) {
  const [low, high] = [ys.reduce((a, b) => Math.min(a, b), 0), ys.reduce((a, b) => Math.max(a, b), 0)];
  const more = (high - low || 1) * 0.06;
  return [low - more, high + more];
}

function axes(across, up, { low, high, bottom, top }) {
  const label = (x, y, text, anchor) =>
    svg("text", { class: "curve-label", x, y, "text-anchor": anchor, "aria-hidden": "true" }, text);
  return [
    svg("path", {
      class: "curve-axis",
      d: `M${across(low)},${up(0)}H${across(high)}M${across(0)},${up(bottom)}V${up(top)}`,
    }),
    label(across(high), HEIGHT - 6, "x", "end"),
    label(across(0) + 6, EDGE.top - 2, "y", "start"),
  ];
}

/** From the dot down to its x and across to its y. */
function drops(x, y, across, up, chosen) {
  const text = (at, value, anchor) =>
    svg("text", { class: "curve-value", ...at, "text-anchor": anchor, "aria-hidden": "true" }, format(value));
  return [
    svg("path", { class: "curve-drop", d: `M${x},${up(chosen.bottom)}V${y}H${across(chosen.low)}` }),
    svg("circle", { class: "curve-dot", cx: x, cy: y, r: 5, "data-x": exact(chosen.x), "data-y": exact(chosen.y) }),
    text({ x: Math.max(16, Math.min(WIDTH - 18, x)), y: HEIGHT - 6 }, chosen.x, "middle"),
    text({ x: EDGE.left - 4, y: Math.max(EDGE.top + 4, Math.min(HEIGHT - EDGE.bottom, y + 4)) }, chosen.y, "end"),
  ];
}

/** How the values of the map lie along x, as pale bars at the foot. */
function bars(values, low, high, across) {
  const counts = histogram(values, low, high, 40);
  const most = Math.max(...counts, 1);
  const width = (across(high) - across(low)) / counts.length;
  return counts.map((number, at) =>
    svg("rect", {
      class: "curve-bar",
      x: across(low) + at * width,
      width: Math.max(1, width - 1),
      y: HEIGHT - EDGE.bottom - (number / most) * 40,
      height: (number / most) * 40,
    }),
  );
}

/** How many of the values lie in each of `bins` equal parts of low to high. */
export function histogram(values, low, high, bins) {
  const counts = new Array(bins).fill(0);
  for (const value of values) {
    if (value >= low && value <= high)
      counts[Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins))] += 1;
  }
  return counts;
}
