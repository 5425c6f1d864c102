// Which cell of a map a person means: under the pointer, or by the keys.

import { volume } from "fieldstone/story";

const arrows = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const neighbours = { PageUp: -1, PageDown: 1 };

/** The cell {path, channel, row, column} of a map under the pointer. */
export function cellAt(map, store, event) {
  const { left, top, width: wide, height: high } = map.getBoundingClientRect();
  const [channels, height, width] = sizes(map, store);
  const part = (place, size, cells) => Math.max(0, Math.min(cells - 1, Math.floor((place / size) * cells)));
  const across = event.clientX - left, down = event.clientY - top;
  if (isVector(map)) return { path: map.dataset.path, channel: part(down, high, channels), row: 0, column: 0 };
  return cellOf(map, part(down, high, height), part(across, wide, width));
}

/**
 * What a key means on a map: {cell}, {map, cell} where another map takes the focus, {open: true}, or null for nothing.
 *
 * @param chosen the chosen cell, of this map or another.
 */
export function moved(map, store, chosen, key) {
  if (key === "Enter") return { open: true };
  if (neighbours[key]) return toNeighbour(map, store, chosen, neighbours[key]);
  const [channels, height, width] = sizes(map, store), here = own(map, store, chosen);
  if (isVector(map)) {
    const to = { Home: 0, End: channels - 1 }[key] ?? here.channel + (arrows[key]?.[0] || arrows[key]?.[1] || NaN);
    return Number.isNaN(to) ? null : { cell: { ...here, channel: clamp(to, channels) } };
  }
  if (key === "Home") return { cell: cellOf(map, 0, 0) };
  if (key === "End") return { cell: cellOf(map, height - 1, width - 1) };
  const by = arrows[key];
  return by ? { cell: cellOf(map, clamp(here.row + by[0], height), clamp(here.column + by[1], width)) } : null;
}

function toNeighbour(map, store, chosen, by) {
  const group = [...map.parentElement.querySelectorAll(".maps-map")], next = group[group.indexOf(map) + by];
  if (!next) return null;
  const { row, column } = own(map, store, chosen);
  return { map: next, cell: cellOf(next, row, column) };
}

/** The chosen cell, if it is of this map; else the one in the middle. */
function own(map, store, chosen) {
  const isOwn = chosen?.path === map.dataset.path && (isVector(map) || chosen.channel === Number(map.dataset.channel));
  const [, height, width] = sizes(map, store);
  return isOwn ? chosen : cellOf(map, height >> 1, width >> 1);
}

const isVector = map => map.classList.contains("maps-vector");
const sizes = (map, store) => volume(store.block(map.dataset.path).output_shape);
const clamp = (place, size) => Math.max(0, Math.min(size - 1, place));

function cellOf(map, row, column) {
  return { path: map.dataset.path, channel: Number(map.dataset.channel), row, column };
}
