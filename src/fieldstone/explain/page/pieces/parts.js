// What a step view needs of a block: its layer in one form, its arrays, and which of them are not there.

import { addWords, say } from "fieldstone/words";

addWords({
  "parts.input": ["the map that this layer reads", "이 층이 읽는 맵"],
  "parts.weight": ["the weights of this layer", "이 층의 가중치"],
  "parts.recorded": ["the map that this layer gave", "이 층이 만든 맵"],
  "parts.missing": [
    "Not in this file ({size}): {what}. The live page (fieldstone explore without -o) has it.",
    "이 파일에 없음({size}): {what}. -o 없이 fieldstone explore를 실행하면 볼 수 있습니다.",
  ],
});

/** (C, H, W) of a shape that may be (C,). */
export function lifted([channels, height = 1, width = 1]) {
  return [channels, height, width];
}

/** A block's layer with its padding as [[top, bottom], [left, right]]. */
export function layerOf(block) {
  const { layer } = block;
  return layer.padding
    ? { ...layer, padding: layer.padding.map(pad => (Array.isArray(pad) ? pad : [pad, pad])) }
    : layer;
}

/**
 * The arrays of a block: {layer, input, shape, recorded, missing}, a promise. What is missing is a list of {what, size,
 * preview}; `recorded` may be, the rest is null with it.
 */
export async function load(store, block) {
  const layer = layerOf(block),
    source = await store.input(block),
    missing = [];
  const names = { input: store.block(block.sources[0])?.output, weight: layer.weight, recorded: block.output };
  const weight = await store.array(layer.weight),
    recorded = await store.array(block.output);
  const lacks = (what, array) => names[what] && !array && missing.push({ what, ...store.about(names[what]) });
  if (!source) missing.push({ what: "input", ...(names.input ? store.about(names.input) : {}) });
  lacks("weight", weight);
  lacks("recorded", recorded);
  const arrays = layer.weight ? { weight, bias: await store.array(layer.bias) } : {};
  return {
    layer: { ...layer, ...arrays },
    input: source?.data ?? null,
    shape: lifted(block.input_shape),
    made: lifted(block.output_shape),
    recorded,
    missing,
    isWhole: Boolean(source) && (!layer.weight || Boolean(weight)),
  };
}

/** A sentence a missing array. */
export function saidMissing(missing) {
  return missing.map(({ what, left_out: size = "?" }) => say("parts.missing", { what: say(`parts.${what}`), size }));
}
