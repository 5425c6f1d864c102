// A value's story on the maps that are shown: a frame on each one that leads to it, and on the image.

import { html } from "fieldstone/elements";
import { mark, placed } from "fieldstone/picture";
import { story, volume } from "fieldstone/story";

export class Marks {
  #root;
  #store;
  #cell = null;
  #parts = new Map();

  constructor(root, store) {
    this.#root = root;
    this.#store = store;
  }

  /** Frame what leads to a cell {path, channel, row, column}; null for none. Returns the part of the image. */
  show(cell) {
    this.#cell = cell;
    this.#parts = cell ? story(this.#store, cell.path, cell.channel, cell.row, cell.column) : new Map();
    this.refresh();
    return this.#parts.get("input") ?? null;
  }

  /** Frame the maps that have come since. */
  refresh() {
    for (const old of this.#root.querySelectorAll(".maps-mark, .maps-cell")) old.remove();
    for (const map of this.#root.querySelectorAll(".maps-map")) this.#frame(map);
    const image = this.#parts.get("input");
    for (const frame of this.#root.querySelectorAll(".picture")) mark(frame, this.#store.payload, image);
  }

  #frame(map) {
    const { path, channel } = map.dataset, part = this.#parts.get(path);
    if (!part) return;
    const [channels, height, width] = volume(this.#store.block(path).output_shape);
    const isVector = map.classList.contains("maps-vector");
    if (!isVector && (channel < part.channels[0] || channel > part.channels[1])) return;
    const box = html("div", { class: path === this.#cell.path ? "maps-cell" : "maps-mark" });
    if (isVector) placed(box, { rows: part.channels, columns: [0, 0] }, channels, 1);
    else placed(box, part, height, width);
    map.append(box);
  }
}
