// The cell whose story is told before a person has pointed at one.

import { held, isVector, known, plane } from "fieldstone/maps";

const atOnce = 8; // of what is shown, as much as stands in sight

/** Of the last maps that do not see the whole image the first, the largest value amid it: a cell, or null. */
export async function telling(store, shown) {
  const { width, height } = store.payload.image;
  const isLocal = block => block.sees?.[0] < height && block.sees[1] < width;
  const isTelling = ({ block, isOpen }) => !isOpen && !isVector(block) && isLocal(block) && held(store, block) > 0;
  const local = shown.slice(0, atOnce).filter(isTelling);
  const entry = local.slice(-3).findLast(({ block }) => block.layer.type === "conv") ?? local.at(-1);
  if (!entry) return null;
  const part = plane(await known(store, entry.block.path), entry.block, 0), at = amid(part);
  const [row, column] = [Math.floor(at / part.width), at % part.width].map(place => place * part.step);
  return { path: entry.block.path, channel: 0, row, column };
}

/** Where the largest value of the middle half of a map is. */
function amid({ values, height, width }) {
  const isMiddle = (place, size) => place >= Math.floor(size / 4) && place <= Math.floor((3 * size) / 4);
  let best = Math.floor(height / 2) * width + Math.floor(width / 2);
  values.forEach((value, at) => {
    if (isMiddle(Math.floor(at / width), height) && isMiddle(at % width, width) && value > values[best]) best = at;
  });
  return best;
}
