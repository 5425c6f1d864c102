// Which numbers a layer can take: what torch accepts, and where a slider ends.

import { extent, kindOf, outputSize } from "fieldstone/layers";

const END = 16; // of a slider

/**
 * The layer changed: numbers {stride, padding, dilation, kernel, sizes}, one for both axes, the type, and what is on or
 * off, {ceil_mode, count_include_pad}. An average has no dilation, and a max counts nothing.
 */
export function changed(layer, changes) {
  const made = { ...layer };
  for (const [key, value] of Object.entries(changes)) {
    const both = key === "padding" ? [value, value] : value;
    made[key] = typeof value === "number" ? [both, both] : value;
  }
  if (kindOf(made) === "mean" && made.dilation) made.dilation = [1, 1];
  if (kindOf(made) === "max") delete made.count_include_pad;
  return made;
}

/** Why torch does not compute a layer on a map of these sides: a word, null if it does. */
export function refusal(layer, sides) {
  const pads = layer.padding?.map(pair => Math.max(...pair)) ?? [0, 0];
  const isPool = layer.type === "maxpool" || layer.type === "avgpool";
  if (isPool && pads.some((pad, axis) => pad > Math.floor(layer.kernel[axis] / 2))) return "half";
  if (layer.padding_mode === "reflect" && pads.some((pad, axis) => pad >= sides[axis])) return "reflect";
  if (layer.padding_mode === "circular" && pads.some((pad, axis) => pad > sides[axis])) return "circular";
  if (layer.output_padding?.some((more, axis) => more >= Math.max(layer.stride[axis], layer.dilation[axis])))
    return "more";
  return outputSize(layer, sides).some(size => size < 1) ? "small" : null;
}

/** Why a slider goes no further although torch would: a word, null if it does go on. */
function end(layer, sides, key) {
  const alone = axis => layer.padding[axis].some(pad => pad >= extent(layer, axis));
  const sizes = outputSize(layer, sides),
    slides = layer.type !== "upconv";
  if (
    key === "stride" &&
    slides &&
    sizes.every((size, axis) => size === 1 && layer.stride[axis] > room(layer, sides, axis) + 1)
  )
    return "one";
  if (key === "padding" && slides && [0, 1].every(alone)) return "alone";
  if (key === "dilation" && layer.kernel.every(side => side === 1)) return "single";
  if (key === "sizes" && sizes.some((size, axis) => size > sides[axis])) return "repeat";
  return null;
}

function room(layer, sides, axis) {
  const [before, after] = layer.padding[axis];
  return Math.max(0, sides[axis] + before + after - extent(layer, axis));
}

/**
 * What a slider offers for a number of a layer while the others stay: {least, most, below, above}, the last two words
 * that say why it ends there.
 */
export function offered(layer, sides, key) {
  const why = value => {
    const made = changed(layer, { [key]: value });
    return refusal(made, sides) ?? end(made, sides, key) ?? (value > END ? "end" : null);
  };
  const now = key === "padding" ? Math.max(...layer.padding.flat()) : Math.max(...layer[key]);
  const floor = key === "padding" ? 0 : 1;
  let [least, most] = [now, now];
  while (least > floor && !refusal(changed(layer, { [key]: least - 1 }), sides)) least--;
  while (!why(most + 1)) most++;
  return {
    least,
    most,
    below: least > floor ? refusal(changed(layer, { [key]: least - 1 }), sides) : null,
    above: why(most + 1),
  };
}

/** The numbers that can be changed: a trained kernel keeps its size. */
export function changeable(layer) {
  if (layer.type.startsWith("global")) return [];
  if (layer.type.startsWith("adaptive")) return ["sizes"];
  const kernel = layer.type.endsWith("pool") ? ["kernel"] : [];
  return [...kernel, "stride", "padding", "dilation"];
}

/** What can be on or off. */
export function switchable({ type }) {
  return { maxpool: ["ceil_mode"], avgpool: ["ceil_mode", "count_include_pad"] }[type] ?? [];
}
