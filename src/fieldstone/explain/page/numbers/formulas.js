// How an activation's value is reckoned, as it is written: `max(−1.2, 0)`.

import { equals, factor, term } from "fieldstone/numbers";

const WRITTEN = {
  relu: x => `max(${term(x)}, 0)`,
  relu6: x => `min(max(${term(x)}, 0), 6)`,
  leakyrelu: (x, { negative_slope: slope }) => below(x, slope),
  prelu: (x, { slope }) => below(x, slope),
  rrelu: (x, { lower, upper }) => below(x, (lower + upper) / 2),
  elu: (x, { alpha }) => exponential(x, alpha, power(x)),
  celu: (x, { alpha }) => exponential(x, alpha, `e^(${term(x)} ÷ ${term(alpha)})`),
  selu: x => (x < 0 ? `1.7581 × (${power(x)} − 1)` : `1.0507 × ${factor(x)}`),
  gelu: (x, { approximate }) =>
    approximate === "tanh"
      ? `${term(x)} ÷ 2 × (1 + tanh(0.7979 × (${term(x)} + 0.0447 × ${factor(x)}³)))`
      : `${term(x)} × Φ(${term(x)})`,
  silu: x => `${term(x)} ÷ (1 + ${power(-x)})`,
  mish: x => `${term(x)} × tanh(log(1 + ${power(x)}))`,
  hardswish: x => `${term(x)} × min(max(${term(x)} + 3, 0), 6) ÷ 6`,
  tanh: x => `tanh(${term(x)})`,
  hardtanh: (x, { min_val: low, max_val: high }) => `min(max(${term(x)}, ${term(low)}), ${term(high)})`,
  tanhshrink: x => `${term(x)} − tanh(${term(x)})`,
  sigmoid: x => `1 ÷ (1 + ${power(-x)})`,
  hardsigmoid: x => `min(max(${term(x)} + 3, 0), 6) ÷ 6`,
  logsigmoid: x => `log(1 ÷ (1 + ${power(-x)}))`,
  softplus: (x, { beta, threshold }) =>
    x * beta > threshold
      ? term(x)
      : beta === 1
        ? `log(1 + ${power(x)})`
        : `log(1 + e^(${term(beta)} × ${factor(x)})) ÷ ${term(beta)}`,
  softsign: x => `${term(x)} ÷ (1 + |${term(x)}|)`,
  hardshrink: (x, { lambd }) => (Math.abs(x) <= lambd ? "0" : term(x)),
  softshrink: (x, { lambd }) =>
    x > lambd ? `${term(x)} − ${term(lambd)}` : x < -lambd ? `${term(x)} + ${term(lambd)}` : "0",
  threshold: (x, { threshold, value }) => (x <= threshold ? term(value) : term(x)),
};

/** e to a power, in brackets where it is not a plain number. */
export const power = x => (/^[\d.,]+$/.test(term(x)) ? `e^${term(x)}` : `e^(${term(x)})`);
const below = (x, slope) => (x > 0 ? term(x) : `${term(slope)} × ${factor(x)}`);
const exponential = (x, alpha, raised) => (x < 0 ? `${term(alpha)} × (${raised} − 1)` : term(x));

/** The right side of y = f(x) for one x, by torch's options. */
export const writtenFor = (name, x, options) => WRITTEN[name](x, options);

const UNCHANGED = ["relu", "relu6", "hardtanh", "hardshrink", "threshold"]; // what they give stands in their formula
const LEAKY = ["leakyrelu", "prelu", "rrelu"];

/** `=` where `writtenFor` is y as it is written, otherwise `≈`. */
export function relation(name, x, y, options) {
  const { negative_slope: fixed, slope = fixed, lower, upper, lambd } = options;
  if (UNCHANGED.includes(name) || writtenFor(name, x, options) === term(y)) return "=";
  if (LEAKY.includes(name)) return equals([[slope ?? (lower + upper) / 2, x]], y);
  if (name === "softshrink") return equals([[x], [x > 0 ? -lambd : lambd]], y);
  return "≈";
}
