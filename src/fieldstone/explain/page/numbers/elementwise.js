// What is not stored is computed again here, in float64 from float32 values and rounded to float32 as torch gives it:
// batch normalisation, the activations, and blocks that do nothing when evaluated.

import { erf } from "fieldstone/erf";
import { normalise, statisticsOf } from "fieldstone/statistics";

const round = Math.fround;
const sigmoid = x => 1 / (1 + Math.exp(-x));
const clamp = (x, low, high) => Math.min(Math.max(x, low), high); // NaN stays NaN, as in torch
const leaky = slope => x => (x > 0 ? x : x * slope);
const exponential = (alpha, scale, rate) => x => (x < 0 ? alpha * Math.expm1(x * rate) : x * scale);

const SELU_SCALE = 1.0507009873554804934193349852946;
const SELU_ALPHA = 1.6732632423543772848170429916717;

// Where two nearly equal numbers are subtracted, every step is rounded as torch rounds it: the digits that it loses are
// lost here too, and a value that it calls 0 is 0.
const geluExact = x => round(x * 0.5) * round(1 + round(erf(round(x * Math.SQRT1_2))));
const geluTanh = x => {
  const inner = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
  return round(x * 0.5) * round(1 + round(Math.tanh(inner)));
};

// By name: the options (torch's argument names, as float32) to the function of one value.
const FUNCTIONS = {
  relu: () => x => Math.max(x, 0),
  relu6: () => x => clamp(x, 0, 6),
  leakyrelu: ({ negative_slope: slope }) => leaky(slope),
  prelu: ({ slope }) => leaky(slope),
  rrelu: ({ lower, upper }) => leaky(round((lower + upper) / 2)),
  elu: ({ alpha }) => exponential(alpha, 1, 1),
  celu: ({ alpha }) => exponential(alpha, 1, 1 / alpha),
  selu: () => exponential(SELU_ALPHA * SELU_SCALE, SELU_SCALE, 1),
  gelu: ({ approximate }) => (approximate === "tanh" ? geluTanh : geluExact),
  silu: () => x => x / (1 + Math.exp(-x)),
  mish: () => x => x * Math.tanh(Math.log1p(Math.exp(x))),
  hardswish: () => x => (x * clamp(x + 3, 0, 6)) / 6,
  tanh: () => Math.tanh,
  hardtanh:
    ({ min_val: low, max_val: high }) =>
    x =>
      clamp(x, low, high),
  tanhshrink: () => x => x - round(Math.tanh(x)),
  sigmoid: () => sigmoid,
  hardsigmoid: () => x => clamp(x + 3, 0, 6) / 6,
  logsigmoid: () => x => Math.min(0, x) - Math.log1p(Math.exp(-Math.abs(x))),
  softplus:
    ({ beta, threshold }) =>
    x =>
      x * beta > threshold ? x : Math.log1p(Math.exp(x * beta)) / beta,
  softsign: () => x => x / (1 + Math.abs(x)),
  hardshrink:
    ({ lambd }) =>
    x =>
      Math.abs(x) <= lambd ? 0 : x,
  softshrink:
    ({ lambd }) =>
    x =>
      x > lambd ? x - lambd : x < -lambd ? x + lambd : x * 0,
  threshold:
    ({ threshold, value }) =>
    x =>
      x <= threshold ? value : x,
};

const OVER_CHANNELS = { softmax, logsoftmax, glu };

/** Whether an activation takes all channels of a cell together. */
export const overChannels = name => name in OVER_CHANNELS;

/** The function of one value that an activation is; `slope` is the learned one of a prelu's channel. */
export function valueFunction(layer, slope) {
  const options = Object.fromEntries(
    Object.entries(layer.options ?? {}).map(([key, value]) => [
      key,
      Number.isNaN(Number(value)) ? value : round(Number(value)),
    ]),
  );
  return FUNCTIONS[layer.name]({ ...options, slope });
}

/** Whether a block's map is not stored, because it follows value by value from its input. */
export const isRecomputed = ({ layer }) => ["activation", "batchnorm", "flatten", "identity"].includes(layer.type);

/** The map of such a block from the {data, shape} that it reads, a promise of a Float32Array. */
export async function recompute(store, { layer }, input) {
  return compute(layer, input, await arraysOf(store, layer)).data;
}

const ARRAYS = ["mean", "var", "gamma", "beta", "weight", "reduce", "reduce_bias", "expand", "expand_bias"];

/** A layer's arrays by the names that it has them by, a promise; null where this file left one out. */
export async function arraysOf(store, layer) {
  const names = ARRAYS.filter(name => layer[name]);
  const arrays = await Promise.all(names.map(name => store.array(layer[name])));
  return Object.fromEntries(names.map((name, at) => [name, arrays[at]]));
}

/** The output {data, shape} of a layer for its input {data, shape}, channels first. */
export function compute(layer, input, arrays = {}) {
  if (layer.type === "identity") return input;
  if (layer.type === "flatten") return { data: input.data, shape: [input.data.length] };
  if (layer.type === "activation" && overChannels(layer.name)) return OVER_CHANNELS[layer.name](input);
  const functionOf = layer.type === "batchnorm" ? normalisation(layer, arrays, input) : activation(layer, arrays);
  return { data: byChannel(input, functionOf), shape: input.shape };
}

const normalisation = (layer, arrays, input) => {
  const [of, cells] = [statisticsOf(layer, arrays, input), input.data.length / input.shape[0]];
  return channel => {
    const statistics = of(channel * cells);
    return x => normalise(x, statistics).value;
  };
};

const activation =
  (layer, { weight }) =>
  channel =>
    valueFunction(layer, weight && weight[weight.length === 1 ? 0 : channel]);

function byChannel({ data, shape }, functionOf) {
  const result = new Float32Array(data.length);
  const cells = data.length / shape[0];
  for (let channel = 0; channel < shape[0]; channel += 1) {
    const of = functionOf(channel);
    for (let at = channel * cells; at < (channel + 1) * cells; at += 1) result[at] = of(data[at]);
  }
  return result;
}

// Calls `each(values of all channels at one cell, write)` for each cell; `write(channel, value)`.
function byCell({ data, shape }, each) {
  const result = new Float32Array(data.length);
  const cells = data.length / shape[0];
  for (let cell = 0; cell < cells; cell += 1) {
    const values = Array.from({ length: shape[0] }, (_, channel) => data[channel * cells + cell]);
    each(values).forEach((value, channel) => {
      result[channel * cells + cell] = value;
    });
  }
  return { data: result, shape };
}

/** e^(z − m) with m the largest z: the same shares as of e^z, and nothing overflows. */
export function shares(values) {
  const largest = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const powers = values.map(value => Math.exp(value - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return { largest, powers, sum, shares: powers.map(power => power / sum) };
}

/** The probabilities of classes from their logits; of one logit those of two classes, the second by the sigmoid. */
export function probabilities(logits) {
  return logits.length === 1 ? [sigmoid(-logits[0]), sigmoid(logits[0])] : shares(logits).shares;
}

function softmax(input) {
  return byCell(input, values => shares(values).shares);
}

function logsoftmax(input) {
  return byCell(input, values => {
    const { largest, sum } = shares(values);
    return values.map(value => value - largest - Math.log(sum));
  });
}

function glu({ data, shape: [channels, ...sides] }) {
  const half = data.length / 2;
  const result = new Float32Array(half).map((_, at) => data[at] * sigmoid(data[half + at]));
  return { data: result, shape: [channels / 2, ...sides] };
}
