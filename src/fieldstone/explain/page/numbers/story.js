// What leads to a value: backwards from one cell over the graph, the cells of every map before it that it reads.
//
// The places are followed one by one along each axis and each map is clipped where it ends, so what only padding leads
// to is left out. A rectangle is the first to the last of them, over all paths together; a dilated window skips some of
// the cells between.

import { sourceOf } from "fieldstone/layers";

/** (C, H, W) of a shape; a vector is C channels of one cell, a signal one row. */
export function volume(shape) {
  return shape.length === 1 ? [shape[0], 1, 1] : shape.length === 2 ? [shape[0], 1, shape[1]] : shape;
}

/**
 * The rectangles that lead to a cell.
 *
 * @param channel a number, or null for a cell of any channel.
 * @returns {Map<string, {channels, rows, columns}>} by path, each [first, last]; the cell itself and "input" included.
 */
export function story(store, path, channel, row, column) {
  const [channels, height, width] = volume(store.block(path).output_shape);
  const marks = new Map([[path, {
    channels: channel === null ? [0, channels - 1] : [channel, channel],
    rows: only(height, row), columns: only(width, column),
  }]]);
  for (const block of store.blocks.slice(0, store.blocks.indexOf(store.block(path)) + 1).reverse()) {
    if (!marks.has(block.path)) continue;
    block.sources.forEach((source, number) => {
      const read = readOf(store, block, number, marks.get(block.path));
      if (read) marks.set(source, marks.has(source) ? union(marks.get(source), read) : read);
    });
  }
  return new Map([...marks].map(([at, mark]) => [at, hull(mark)]));
}

/** The channels [first, last] of a block's source that some channels of its output read; null for none. */
export function channelsRead(store, block, number, [first, last]) {
  const reach = block.reach[number], [channels] = volume(store.shape(block.sources[number]));
  if (reach.kind === "flat") return flatPart(store, block, [first, last]).channels;
  if (reach.channels) return within([first - reach.channels[0], last - reach.channels[0]], channels);
  if (reach.around) return within([first - reach.around[0], last + reach.around[1]], channels);
  if (reach.groups) return group(reach.groups, channels, volume(block.output_shape)[0], [first, last]);
  if (reach.kind === "all" && !reach.depthwise) return [0, channels - 1];
  const ratio = channels / volume(block.output_shape)[0]; // above 1 where pixelshuffle lays channels side by side
  return [first * ratio, (last + 1) * ratio - 1];
}

function readOf(store, block, number, { channels, rows, columns }) {
  const reach = block.reach[number], [, height, width] = volume(store.shape(block.sources[number]));
  const read = channelsRead(store, block, number, channels);
  if (!read) return null;
  if (reach.kind === "flat") return flatPart(store, block, channels);
  const marks = { channels: shuffled(reach, read, rows, columns), rows: places(reach, 0, rows, height), columns: places(reach, 1, columns, width) };
  return marks.rows.includes(1) && marks.columns.includes(1) ? marks : null;
}

/** Of the channels that lie side by side those of the marked places: which one depends on row and column. */
function shuffled({ shuffled: side }, [first, last], rows, columns) {
  if (!side) return [first, last];
  const [down, along] = [rows, columns].map(marks => {
    const turns = [...marks].flatMap((mark, place) => (mark ? [place % side] : []));
    return [Math.min(...turns), Math.max(...turns)];
  });
  const [before, after] = [0, 1].map(end => down[end] * side + along[end]);
  return [first + before, last - (side * side - 1) + after];
}

/** Which places of a source's axis the marked places of the output read, as 0 and 1. */
function places(reach, axis, marked, size) {
  if (reach.kind === "same") return marked;
  const read = new Uint8Array(size);
  if (reach.kind === "all") return read.fill(1);
  const mark = place => {
    const cell = sourceOf(reach, place, size); // padding may copy a cell of the map
    if (cell >= 0) read[cell] = 1;
  };
  marked.forEach((isMarked, place) => { if (isMarked) reads[reach.kind](reach, axis, place, mark) });
  return read;
}

const reads = {
  window({ kernel, stride, dilation, before }, axis, place, mark) {
    for (let tap = 0; tap < kernel[axis]; tap++) mark(place * stride[axis] - before[axis] + tap * dilation[axis]);
  },
  transposed({ kernel, stride, dilation, before }, axis, place, mark) {
    for (let tap = 0; tap < kernel[axis]; tap++) {
      const spread = place + before[axis] - tap * dilation[axis];
      if (spread % stride[axis] === 0) mark(spread / stride[axis]);
    }
  },
  table(reach, axis, place, mark) {
    const [first, last] = (axis ? reach.columns : reach.rows)[place];
    for (let read = first; read <= last; read++) mark(read);
  },
};

/** The cells that become the numbers first to last of a flattened map: their bounding box. */
function flatPart(store, block, [first, last]) {
  const [, height, width] = volume(store.shape(block.sources[0]));
  const at = index => [Math.floor(index / (height * width)), Math.floor(index / width) % height, index % width];
  const [from, to] = [at(first), at(last)], sameChannel = from[0] === to[0], sameRow = sameChannel && from[1] === to[1];
  return {
    channels: [from[0], to[0]],
    rows: range(height, ...(sameChannel ? [from[1], to[1]] : [0, height - 1])),
    columns: range(width, ...(sameRow ? [from[2], to[2]] : [0, width - 1])),
  };
}

function group(groups, inputs, outputs, [first, last]) {
  const at = channel => Math.floor(channel / (outputs / groups)), size = inputs / groups;
  return [at(first) * size, (at(last) + 1) * size - 1];
}

function within([first, last], size) {
  const part = [Math.max(0, first), Math.min(size - 1, last)];
  return part[0] <= part[1] ? part : null;
}

const only = (size, place) => range(size, place, place);

function range(size, first, last) {
  return new Uint8Array(size).fill(1, first, last + 1);
}

function union(one, other) {
  const both = (these, those) => these.map((mark, place) => mark | those[place]);
  return {
    channels: [Math.min(one.channels[0], other.channels[0]), Math.max(one.channels[1], other.channels[1])],
    rows: both(one.rows, other.rows), columns: both(one.columns, other.columns),
  };
}

function hull({ channels, rows, columns }) {
  const ends = marks => [marks.indexOf(1), marks.lastIndexOf(1)];
  return { channels, rows: ends(rows), columns: ends(columns) };
}
