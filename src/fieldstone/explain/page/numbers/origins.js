// Where a value of a resized, shuffled, padded, cropped or unpooled map comes from: the cells that it reads, and how much
// of each.

import { compute, sourceOf } from "fieldstone/layers";

/**
 * What an output cell {channel, row, column} reads, for a layer and the shapes before and after it.
 *
 * @returns {{taps: [{channel, row, column, weight}], axes}} no taps where another value stands, `standing`; axes are what
 *   `along` gives for the rows and the columns of a resized map.
 */
export function originOf(layer, from, to, cell, owners) {
  return { upsample: resized, pixelshuffle: shuffled, pad: moved, crop: moved, maxunpool: unpooled }[layer.type](
    layer,
    from,
    to,
    cell,
    owners,
  );
}

/** The value of a cell that reads none: of an unpooled map 0. */
export const standing = ({ value = 0 }) => Number(value);

function resized(layer, [, ...sides], [, ...sizes], { channel, ...cell }) {
  const axes = [cell.row, cell.column].map((at, axis) => along(layer, sides[axis], sizes[axis], at));
  const taps = axes[0].taps.flatMap(down =>
    axes[1].taps.map(one => ({ channel, row: down.at, column: one.at, weight: down.weight * one.weight })),
  );
  return { taps, axes };
}

/**
 * What a place reads along an axis that is resized: {place, taps: [{at, weight}]}, where it lies and the cells it reads.
 *
 * Source: torch.nn.functional.interpolate. The nearest cell is found in float32, as there.
 */
export function along({ mode, align_corners: corners }, size, out, at) {
  if (mode === "nearest") {
    const place = Math.fround(at * Math.fround(size / out));
    return { place, taps: [{ at: Math.min(size - 1, Math.floor(place)), weight: 1 }] };
  }
  const centre = corners ? (out > 1 ? (at * (size - 1)) / (out - 1) : 0) : ((at + 0.5) * size) / out - 0.5;
  const place = mode === "linear" ? Math.max(0, centre) : centre;
  const first = Math.floor(place), share = place - first;
  const weights = mode === "linear" ? [1 - share, share] : cubic(share);
  const before = mode === "linear" ? first : first - 1;
  return { place, taps: merged(weights.map((weight, tap) => [Math.max(0, Math.min(size - 1, before + tap)), weight])) };
}

/** Beyond the edge its cell is read again: the weights of one cell together. */
function merged(pairs) {
  const weights = new Map();
  for (const [at, weight] of pairs) weights.set(at, (weights.get(at) ?? 0) + weight);
  return [...weights].map(([at, weight]) => ({ at, weight }));
}

/** The weights of four neighbours, a share of the way from the second to the third. Source: Keys 1981, with a = −3/4. */
function cubic(share) {
  const a = -0.75;
  const near = x => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = x => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(share + 1), near(share), near(1 - share), far(2 - share)];
}

function shuffled({ factor }, from, to, { channel, row, column }) {
  const within = (row % factor) * factor + (column % factor);
  const tap = { row: Math.floor(row / factor), column: Math.floor(column / factor), weight: 1 };
  return { taps: [{ channel: channel * factor ** 2 + within, ...tap }] };
}

function moved(layer, [, ...sides], to, { channel, ...cell }) {
  const [row, column] = placesOf(layer, cell).map((place, axis) => sourceOf(layer, place, sides[axis]));
  return { taps: row < 0 || column < 0 ? [] : [{ channel, row, column, weight: 1 }] };
}

/** Where a cell of a padded or cropped map lies on the map before, [row, column]; outside of it where it is padding. */
export const placesOf = ({ padding: [[top], [left]] }, { row, column }) => [row - top, column - left];

function unpooled(layer, [, , width], [, , columns], { channel, row, column }, owners) {
  const owner = owners(channel)[row * columns + column];
  return { taps: owner < 0 ? [] : [{ channel, row: Math.floor(owner / width), column: owner % width, weight: 1 }] };
}

/**
 * For an unpooling: a channel -> by place of its output the place of the value that returns there, −1 for none; where
 * windows overlap the last one stays, as in torch.
 *
 * @param pool the layer of the pooling, its `padding` a pair a side.
 * @param input what that read, {data, shape}.
 */
export function ownersOf(pool, { data, shape }) {
  const known = new Map();
  return channel => {
    if (!known.has(channel)) known.set(channel, owned(compute(pool, data, shape, { channels: [channel] }).winners, shape));
    return known.get(channel);
  };
}

function owned(winners, [, height, width]) {
  const owners = new Int32Array(height * width).fill(-1);
  winners.forEach((place, pooled) => {
    if (place >= 0) owners[place] = pooled;
  });
  return owners;
}
