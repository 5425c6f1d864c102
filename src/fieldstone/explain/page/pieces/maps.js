// Feature maps as small pictures: made when they come into sight, drawn anew when the theme changes.

import { pixels, scaleOf } from "fieldstone/colours";
import { isRecomputed, recompute } from "fieldstone/elementwise";
import { html } from "fieldstone/elements";
import { decoded } from "fieldstone/store";
import { volume } from "fieldstone/story";
import { addWords, say } from "fieldstone/words";

addWords({
  "maps.map": ["{block}, map {map} of {maps}, {size}", "{block}, 특징 맵 {map}/{maps}, {size}"],
  "maps.vector": ["{block}, {size} numbers", "{block}, 수 {size}개"],
  "maps.missing": ["not in this file", "이 파일에 없음"],
});

const side = 44, sharp = 2 * side; // CSS pixels of a map, and the most that are drawn of its side

/** The number of map pictures that a block has: a vector is one. */
export function count(block) {
  return isVector(block) ? 1 : block.output_shape[0];
}

export function isVector(block) {
  const [, height, width] = volume(block.output_shape);
  return height * width === 1;
}

/** How many of a block's map pictures there are numbers for: this file may have left out all but the first. */
export function held(store, block) {
  if (block.output === null) {
    const source = store.block(block.sources[0]), all = !source || held(store, source) === count(source);
    if (block.layer.type === "flatten") return all ? 1 : 0;
    return all ? count(block) : held(store, source);
  }
  const { left_out: leftOut, preview: part } = store.about(block.output);
  return leftOut === undefined ? count(block) : part?.shape[0] ?? 0;
}

/**
 * What is known of a block's maps: {data, shape, step}, a promise; of null for nothing.
 *
 * `step` is above 1 where the file has every so many values of the first channels alone.
 */
export async function known(store, path) {
  const whole = await store.output(path);
  return whole ? { ...whole, step: 1 } : preview(store, path);
}

async function preview(store, path) {
  const block = store.block(path);
  if (block.output === null) {
    const before = isRecomputed(block) && block.layer.type !== "flatten" && await preview(store, block.sources[0]);
    return before ? { ...before, data: await recompute(store, block, before) } : null;
  }
  const { preview: part } = store.about(block.output);
  if (!part) return null;
  const step = Math.ceil(Math.max(...block.output_shape.slice(1)) / side);
  return { data: decoded(part.base64), shape: part.shape, step };
}

/** One map's values: {values, height, width, step}; of a vector all of it as a column. Null where there are none. */
export function plane(made, block, channel) {
  if (!made) return null;
  if (isVector(block)) return { values: made.data, height: made.data.length, width: 1, step: 1 };
  const [channels, height, width] = volume(made.shape), size = height * width;
  if (channel >= channels) return null;
  return { values: made.data.subarray(channel * size, (channel + 1) * size), height, width, step: made.step };
}

/** The pictures of one view. */
export class Maps {
  #store;
  #drawn = new Set();
  #seen = new IntersectionObserver(found => this.#appeared(found), { rootMargin: "200px" });
  #redraw = () => this.#drawn.forEach(map => this.#draw(map));

  constructor(store) {
    this.#store = store;
    document.addEventListener("themechange", this.#redraw);
  }

  close() {
    this.#seen.disconnect();
    document.removeEventListener("themechange", this.#redraw);
  }

  /** The picture of one map; of a vector, of all of it. */
  element(block, channel) {
    const [channels, height, width] = volume(block.output_shape), vector = isVector(block);
    const label = vector ? say("maps.vector", { block: block.notation, size: channels })
      : say("maps.map", { block: block.notation, map: channel + 1, maps: channels, size: `${height} × ${width}` });
    const map = html("div", { class: kindOf(block), role: "application", tabindex: -1, "aria-label": label,
      "data-path": block.path, "data-channel": channel }, html("canvas", { "aria-hidden": "true" }));
    if (!vector) fitted(map, height, width);
    this.#seen.observe(map);
    return map;
  }

  #appeared(found) {
    for (const { isIntersecting, target } of found) {
      if (!isIntersecting) continue;
      this.#seen.unobserve(target);
      this.#drawn.add(target);
      this.#draw(target);
    }
  }

  async #draw(map) {
    const block = this.#store.block(map.dataset.path);
    const part = plane(await known(this.#store, block.path), block, Number(map.dataset.channel));
    if (!part) return map.classList.add("maps-none");
    paint(map.firstChild, part);
  }
}

function kindOf(block) {
  if (!isVector(block)) return "maps-map";
  return block.output_shape[0] > sharp ? "maps-map maps-vector maps-long" : "maps-map maps-vector";
}

function fitted(map, height, width) {
  const most = Math.max(height, width);
  map.style.width = `${Math.max(8, side * width / most)}px`;
  map.style.height = `${Math.max(8, side * height / most)}px`;
}

/** Paint a plane; what is larger than the screen can show is averaged down by the browser. */
export function paint(canvas, { values, height, width }, most = sharp) {
  const image = pixels(values, width, height, scaleOf(values)), scale = Math.min(1, most / Math.max(height, width));
  canvas.width = Math.ceil(width * scale);
  canvas.height = Math.ceil(height * scale);
  const context = canvas.getContext("2d");
  if (scale === 1 || width === 1) {
    [canvas.width, canvas.height] = [width, height];
    return context.putImageData(image, 0, 0);
  }
  const whole = new OffscreenCanvas(width, height);
  whole.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingQuality = "high";
  context.drawImage(whole, 0, 0, canvas.width, canvas.height);
}
