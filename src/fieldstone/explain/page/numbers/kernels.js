// The kernels of a convolution as data: which numbers are a filter's, and which filters do nothing.

import { overChannels } from "fieldstone/elementwise";
import { channelsOf, kernelStart } from "fieldstone/layers";

const NEARLY = 1e-3; // of the layer's largest weight

/** Filters, input channels of each, rows and columns of a layer's weight of this shape, and where a kernel begins. */
export function kernelsOf(layer, [first, second]) {
  const { groups, kernel } = layer; // a transposed convolution's weight is (C, O ÷ groups, rows, columns)
  const [filters, channels] = layer.type === "conv" ? [first, second * groups] : [second * groups, first];
  const read = filter => channelsOf(layer, channels, filter, filters);
  const start = (filter, input) => kernelStart(layer, channels, filters, read(filter)[input], filter);
  return { filters, inputs: channels / groups, rows: kernel[0], columns: kernel[1], start };
}

/** The weights of one kernel, row by row. */
export function kernelAt(kernels, weights, filter, input) {
  const start = kernels.start(filter, input);
  return weights.subarray(start, start + kernels.rows * kernels.columns);
}

/** The largest |weight|; what is not a number is left out. */
export const largestOf = weights => weights.reduce((most, weight) => Math.max(most, Math.abs(weight) || 0), 0);

/** The filters of which every weight is under a thousandth of the layer's largest. */
function nearlyZero(kernels, weights) {
  const least = NEARLY * largestOf(weights);
  const one = (filter, input) => kernelAt(kernels, weights, filter, input).every(weight => Math.abs(weight) <= least);
  const all = filter => Array.from({ length: kernels.inputs }, (_, input) => input).every(input => one(filter, input));
  return Array.from({ length: kernels.filters }, (_, filter) => filter).filter(all);
}

const PASSED = ["batchnorm", "identity", "maxpool", "avgpool"]; // these keep the channels apart

/** The activation that a convolution's channels go through next; undefined where another block takes them first. */
function activationAfter(store, block) {
  const next = store.users(block.path).find(({ layer }) => layer.type === "activation" || PASSED.includes(layer.type));
  if (!next || (next.layer.type === "activation" && overChannels(next.layer.name))) return undefined;
  return next.layer.type === "activation" ? next : activationAfter(store, next);
}

/** The channels of a map that are 0 everywhere. */
export function silent({ data, shape: [channels] }) {
  const cells = data.length / channels;
  const zero = channel => data.subarray(channel * cells, (channel + 1) * cells).every(value => value === 0);
  return Array.from({ length: channels }, (_, channel) => channel).filter(zero);
}

/** {dead, silent} of a block, each {list} of filters or {why} there is none; a promise. */
export async function countIn(store, block) {
  const weights = await store.array(block.layer.weight);
  const dead = weights
    ? { list: nearlyZero(kernelsOf(block.layer, store.about(block.layer.weight).shape), weights) }
    : { why: "left_out" };
  const after = activationAfter(store, block);
  if (!after) return { dead, silent: { why: "no_activation" } };
  const map = await store.output(after.path);
  return { dead, silent: map?.data ? { list: silent(map) } : { why: "left_out" } };
}
