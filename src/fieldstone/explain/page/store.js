// What the page knows: the payload, its arrays when they are asked for, and the maps that it makes itself.

import { isRecomputed, recompute } from "fieldstone/elementwise";
import { faultIn } from "fieldstone/faults";

export const INPUT = "input";

/** Open a payload. */
export function open(payload) {
  return new Store(payload);
}

class Store {
  #arrays = new Map(); // by name, promises
  #outputs = new Map(); // by path, promises
  #why = new Map(); // by class, promises

  constructor(payload) {
    this.payload = payload;
    this.blocks = payload.blocks;
    this.#byPath = new Map(payload.blocks.map((block) => [block.path, block]));
    this.#users = new Map();
    for (const block of payload.blocks)
      for (const source of new Set(block.sources)) this.#users.set(source, [...(this.#users.get(source) ?? []), block]);
  }

  #byPath;
  #users;

  /** The block at a path; undefined where there is none. */
  block(path) {
    return this.#byPath.get(path);
  }

  /** The blocks that take the map of a path, or of `input`. */
  users(path) {
    return this.#users.get(path) ?? [];
  }

  /** The shape of what a path, or `input`, makes. */
  shape(path) {
    return path === INPUT ? this.payload.input.shape : this.block(path).output_shape;
  }

  /** The numbers of an array, a promise of a Float32Array; of null where this file left it out. */
  array(name) {
    if (name === null || name === undefined) return Promise.resolve(null);
    if (!this.#arrays.has(name)) this.#arrays.set(name, this.#read(name));
    return this.#arrays.get(name);
  }

  /** What is written of an array: its shape, and `left_out` and `preview` where this file has not all of it. */
  about(name) {
    return this.payload.arrays[name];
  }

  /** What a path, or `input`, makes: a promise of {data, shape}; of null where this file left it out. */
  output(path) {
    if (!this.#outputs.has(path)) this.#outputs.set(path, this.#made(path));
    return this.#outputs.get(path);
  }

  /** What the first source of a block makes, as `output`. */
  input(block, place = 0) {
    return this.output(block.sources[place]);
  }

  /** Why a class: a promise of what the payload holds of it, or of what the live page is told; null where neither is. */
  async why(place) {
    const { why, live } = this.payload;
    if (why?.classes.includes(place) || !live) return why ?? null;
    if (!this.#why.has(place)) this.#why.set(place, asked(`${live.why}?class=${place}&image=${live.number}`));
    const found = await this.#why.get(place);
    Object.assign(this.payload.arrays, found.arrays);
    return found.why;
  }

  async #read(name) {
    const { packed, left_out: leftOut } = this.payload.arrays[name];
    if (packed !== undefined) return unpacked(packed);
    if (leftOut !== undefined || !this.payload.live) return null;
    const { arrays, number } = this.payload.live;
    const answer = await fetch(`${arrays}${encodeURIComponent(name)}?image=${number}`);
    if (!answer.ok) throw new Error(await faultIn(answer));
    return floats(await answer.arrayBuffer());
  }

  async #made(path) {
    if (path === INPUT) return { data: await this.array(this.payload.input.array), shape: this.payload.input.shape };
    const block = this.block(path);
    if (block.output === null && isRecomputed(block)) {
      const before = await this.input(block);
      return before && { data: await recompute(this, block, before), shape: block.output_shape };
    }
    const data = await this.array(block.output);
    return data && { data, shape: block.output_shape };
  }
}

/** Little-endian float32 of a base64 text. */
export function decoded(text) {
  return floats(bytes(text).buffer);
}

/** The same of a text that holds all first bytes, all second bytes, …, deflated: a promise. */
async function unpacked(text) {
  const stream = new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = planes.length / 4;
  const numbers = new Uint8Array(planes.length);
  for (let plane = 0; plane < 4; plane++)
    for (let place = 0; place < count; place++) numbers[4 * place + plane] = planes[plane * count + place];
  return floats(numbers.buffer);
}

function bytes(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function floats(buffer) {
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] === 1) return new Float32Array(buffer);
  const view = new DataView(buffer);
  return Float32Array.from({ length: buffer.byteLength / 4 }, (_, place) => view.getFloat32(4 * place, true));
}

async function asked(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(await faultIn(answer));
  return answer.json();
}
