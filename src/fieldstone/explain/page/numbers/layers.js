// The arithmetic of one window layer: where its windows lie, what they read, and what comes out, in float32 from sums
// in float64. The step view, what-if and the tests all use this one.
//
// A layer is the payload's LAYER with `kernel`, [height, width], from the block's reach; `settings` lie over it:
// changed numbers, and `weight` and `bias` as arrays instead of their names.

const PADDING = -1; // in place of a source: a padded cell that copies none
export const NOTHING = -2; // no cell at all

/** What a layer does in its windows: "conv", "upconv", "max" or "mean". */
export function kindOf({ type }) {
  return type === "conv" || type === "upconv" ? type : type.includes("max") ? "max" : "mean";
}

/** Whether it slides windows of a fixed size: neither global nor adaptive. */
export function slides({ type }) {
  return ["conv", "upconv", "maxpool", "avgpool"].includes(type);
}

/** The cells from the first to the last that a dilated kernel reads along an axis. */
export function extent(layer, axis) {
  return (layer.dilation?.[axis] ?? 1) * (layer.kernel[axis] - 1) + 1;
}

/** [height, width] that leave a map of these sides; below 1 where no window fits. */
export function outputSize(layer, sides) {
  return sides.map((size, axis) => slides(layer) ? slid(layer, size, axis) : layer.sizes?.[axis] ?? 1);
}

function slid(layer, size, axis) {
  const [before, after] = layer.padding[axis], stride = layer.stride[axis], span = extent(layer, axis);
  if (layer.type === "upconv") return (size - 1) * stride - before - after + span + layer.output_padding[axis];
  const room = size + before + after - span;
  if (!layer.ceil_mode) return Math.floor(room / stride) + 1;
  return Math.ceil(room / stride) + (isDropped(layer, size, axis) ? 0 : 1);
}

/** Whether the last window that ceil_mode rounds up to is left out: it must start within the input or the padding before. */
export function isDropped(layer, size, axis) {
  const [before, after] = layer.padding[axis], stride = layer.stride[axis];
  const last = Math.ceil((size + before + after - extent(layer, axis)) / stride) * stride;
  return Boolean(layer.ceil_mode) && last >= size + before;
}

/**
 * Where the windows of a layer lie along an axis: {size, out, taps, places, sources}, the last two taps × out.
 * A place counts from the first real cell, padding is below 0 or from `size` on; a source is the cell read there.
 */
export function windowsAlong(layer, size, axis) {
  const out = Math.max(0, outputSize(layer, axis ? [1, size] : [size, 1])[axis]);
  const taps = slides(layer) ? layer.kernel[axis] : longest(size, out);
  const places = new Int32Array(taps * out), sources = new Int32Array(taps * out);
  const placeOf = placing(layer, size, out, axis);
  for (let tap = 0; tap < taps; tap++) for (let at = 0; at < out; at++) {
    const place = placeOf(tap, at), index = tap * out + at;
    places[index] = place ?? 0;
    sources[index] = place === null ? NOTHING : sourceOf(layer, place, size);
  }
  return { size, out, taps, places, sources };
}

/** (tap, at) -> the place that a tap of a window reads; null where it reads nothing. */
function placing(layer, size, out, axis) {
  if (!slides(layer)) return (tap, at) => {
    const [first, cells] = share(size, out, at);
    return tap < cells ? first + tap : null;
  };
  const [before, after] = layer.padding[axis], stride = layer.stride[axis], dilation = layer.dilation?.[axis] ?? 1;
  if (layer.type === "upconv") return (tap, at) => {
    const spread = at + before - tap * dilation, place = spread / stride;
    return spread % stride === 0 && place >= 0 && place < size ? place : null;
  };
  return (tap, at) => { // with ceil_mode a window may hang over the padding
    const place = at * stride - before + tap * dilation;
    return place < size + after ? place : null;
  };
}

/** [first, number] of the cells of an adaptive window: floor(i·in/out) to ceil((i+1)·in/out). */
function share(size, out, at) {
  const first = Math.floor(at * size / out);
  return [first, Math.ceil((at + 1) * size / out) - first];
}

function longest(size, out) {
  return Math.max(...Array.from({ length: out }, (_, at) => share(size, out, at)[1]));
}

/** The cell that is read at a place: itself, the one that is copied there, or (below 0) none. */
export function sourceOf({ padding_mode: mode }, place, size) {
  if (place >= 0 && place < size) return place;
  if (mode === "replicate") return place < 0 ? 0 : size - 1;
  if (mode === "circular") return (place + size) % size;
  if (mode === "reflect") return place < 0 ? -place : 2 * (size - 1) - place;
  return PADDING;
}

/** What a padded cell holds that copies none. */
export function paddingValue(layer) {
  return kindOf(layer) === "max" ? -Infinity : 0;
}

/** The real cells at the end of each axis, [rows, columns], that no window reads because the stride steps past them. */
export function unread(layer, sides) {
  return sides.map((size, axis) => {
    if (!slides(layer) || layer.type === "upconv") return 0;
    const out = slid(layer, size, axis);
    return Math.max(0, size - ((out - 1) * layer.stride[axis] + extent(layer, axis) - layer.padding[axis][0]));
  });
}

/** By how many cells the last window hangs over the padding's end along each axis, [rows, columns], as ceil_mode lets it. */
export function overhang(layer, sides) {
  return sides.map((size, axis) => {
    if (!slides(layer) || layer.type === "upconv") return 0;
    const [before, after] = layer.padding[axis], last = (slid(layer, size, axis) - 1) * layer.stride[axis];
    return Math.max(0, last + extent(layer, axis) - size - before - after);
  });
}

/**
 * What the window of an output cell reads, in row order: [{tap: [row, column] in the kernel, row, column: its place,
 * source: the cell of the map, row · width + column, that is read there (null: padding without one)}].
 */
export function readings(layer, [, height, width], [row, column]) {
  const rows = windowsAlong(layer, height, 0), columns = windowsAlong(layer, width, 1), found = [];
  for (let down = 0; down < rows.taps; down++) for (let along = 0; along < columns.taps; along++) {
    const y = down * rows.out + row, x = along * columns.out + column;
    const [sourceRow, sourceColumn] = [rows.sources[y], columns.sources[x]];
    if (sourceRow === NOTHING || sourceColumn === NOTHING) continue;
    const real = sourceRow >= 0 && sourceColumn >= 0;
    found.push({ tap: [down, along], row: rows.places[y], column: columns.places[x],
      source: real ? sourceRow * width + sourceColumn : null });
  }
  return found;
}

/** The input channels that an output channel reads: all of its group, or its own. */
export function channelsOf(layer, channels, channel, filters) {
  if (kindOf(layer) === "max" || kindOf(layer) === "mean") return [channel];
  const each = channels / layer.groups, group = Math.floor(channel / (filters / layer.groups));
  return Array.from({ length: each }, (_, at) => group * each + at);
}

/** Where the kernel of an input channel (one of the group) for an output channel begins in the weights. */
export function kernelStart(layer, channels, filters, input, output) {
  const cells = layer.kernel[0] * layer.kernel[1], each = filters / layer.groups, group = channels / layer.groups;
  return cells * (layer.type === "upconv" ? input * each + output % each : output * group + input % group);
}

/** How many channels leave a layer with these weights. */
export function filtersOf(layer, channels) {
  if (kindOf(layer) === "max" || kindOf(layer) === "mean") return channels;
  const cells = layer.kernel[0] * layer.kernel[1];
  return layer.weight.length / cells / channels * layer.groups;
}

/**
 * What comes out of a layer.
 *
 * @param input (C, H, W), flat, of the shape beside it.
 * @param settings over the layer: weight and bias as arrays, changed numbers, and `channels`, the output channels that
 *   are wanted (all without it).
 * @returns {{data: Float32Array, shape: [channels, height, width], winners: Int32Array | null}} the winners, of a max,
 *   are cells of their channel's map, −1 where padding won.
 */
export function compute(layer, input, [channels, height, width], settings = {}) {
  const made = { ...layer, ...settings }, filters = filtersOf(made, channels);
  const axes = [windowsAlong(made, height, 0), windowsAlong(made, width, 1)], cells = axes[0].out * axes[1].out;
  axes[1].runs = runsOf(axes[1]);
  const wanted = settings.channels ?? Array.from({ length: filters }, (_, at) => at);
  const data = new Float32Array(wanted.length * cells);
  const winners = kindOf(made) === "max" ? new Int32Array(data.length) : null;
  const plane = channel => input.subarray(channel * height * width, (channel + 1) * height * width);
  wanted.forEach((channel, at) => {
    const part = data.subarray(at * cells, (at + 1) * cells);
    if (winners) largest(plane(channel), axes, part, winners.subarray(at * cells, (at + 1) * cells));
    else if (kindOf(made) === "mean") mean(plane(channel), axes, part, made.count_include_pad ?? true);
    else part.set(products(made, plane, axes, channels, filters, channel));
  });
  return { data, shape: [wanted.length, axes[0].out, axes[1].out], winners };
}

/** sum of weight × value over the taps and input channels of one output channel, and its bias. */
function products(layer, plane, axes, channels, filters, channel) {
  const sums = new Float64Array(axes[0].out * axes[1].out).fill(layer.bias?.[channel] ?? 0);
  for (const input of channelsOf(layer, channels, channel, filters)) {
    const first = kernelStart(layer, channels, filters, input, channel), values = plane(input);
    const taps = axes[0].taps * axes[1].taps;
    for (let tap = 0; tap < taps; tap++) addTap(values, axes, tap, layer.weight[first + tap], sums);
  }
  return sums;
}

/** Adds factor × what one tap reads to every window. */
function addTap(values, [rows, columns], tap, factor, sums) {
  const down = Math.floor(tap / columns.taps) * rows.out, along = tap % columns.taps * columns.out;
  const run = columns.runs[tap % columns.taps], sources = columns.sources.subarray(along, along + columns.out);
  for (let row = 0; row < rows.out; row++) {
    const from = rows.sources[down + row] * columns.size, to = row * columns.out;
    if (from < 0) continue;
    if (run) addRun(values, from, run, factor, sums, to);
    else addEach(values, from, sources, factor, sums, to);
  }
}

/** The cells of a row that lie evenly apart. */
function addRun(values, from, { first, last, step, source }, factor, sums, to) {
  for (let column = first, at = from + source; column <= last; column++, at += step) {
    sums[to + column] += factor * values[at];
  }
}

function addEach(values, from, sources, factor, sums, to) {
  for (let column = 0; column < sources.length; column++) {
    if (sources[column] >= 0) sums[to + column] += factor * values[from + sources[column]];
  }
}

/** By tap the windows whose sources lie evenly apart, {first, last, step, source}; null where they do not. */
function runsOf({ taps, out, sources }) {
  return Array.from({ length: taps }, (_, tap) => {
    const read = sources.subarray(tap * out, (tap + 1) * out), first = read.findIndex(source => source >= 0);
    const last = read.findLastIndex(source => source >= 0), step = last > first ? read[first + 1] - read[first] : 1;
    const run = first < 0 ? null : read.subarray(first, last + 1);
    const isEven = run?.every((source, at) => source === run[0] + at * step);
    return isEven ? { first, last, step, source: read[first] } : null;
  });
}

function mean(values, axes, result, withPadding) {
  const sums = new Float64Array(result.length), [downs, alongs] = axes.map(axis => counts(axis, withPadding));
  for (let tap = 0; tap < axes[0].taps * axes[1].taps; tap++) addTap(values, axes, tap, 1, sums);
  sums.forEach((sum, at) => {
    const cells = downs[Math.floor(at / axes[1].out)] * alongs[at % axes[1].out];
    result[at] = cells ? sum / cells : 0;
  });
}

/** How many cells each window counts along an axis. */
function counts({ out, taps, sources }, withPadding) {
  const least = withPadding ? PADDING : 0;
  return Array.from({ length: out }, (_, at) =>
    Array.from({ length: taps }, (_, tap) => sources[tap * out + at]).filter(source => source >= least).length);
}

/** The largest value of each window and where it stands: the first of equal ones, and the last NaN, as in torch. */
function largest(values, axes, result, winners) {
  result.fill(-Infinity);
  winners.fill(-1);
  for (let tap = 0; tap < axes[0].taps * axes[1].taps; tap++) compareTap(values, axes, tap, result, winners);
}

function compareTap(values, [rows, columns], tap, result, winners) {
  const down = Math.floor(tap / columns.taps) * rows.out, along = tap % columns.taps * columns.out;
  for (let row = 0, at = 0; row < rows.out; row++) for (let column = 0; column < columns.out; column++, at++) {
    const sourceRow = rows.sources[down + row], sourceColumn = columns.sources[along + column];
    if (sourceRow < 0 || sourceColumn < 0) continue;
    const source = sourceRow * columns.size + sourceColumn, value = values[source];
    if (winners[at] >= 0 && !(value > result[at]) && !Number.isNaN(value)) continue;
    result[at] = value;
    winners[at] = source;
  }
}

/** The line that gives the output's size along an axis, in parts {text, role: "in", "out" or none}. */
export function formula(layer, size, axis) {
  const side = { text: String(size), role: "in" }, result = { text: String(slid(layer, size, axis)), role: "out" };
  const [before, after] = layer.padding[axis], stride = layer.stride[axis], same = before === after;
  const span = `${layer.dilation?.[axis] ?? 1}×(${layer.kernel[axis]}−1)`;
  if (layer.type === "upconv") {
    const removed = same ? `2×${before}` : `${before} − ${after}`, more = layer.output_padding[axis];
    return [{ text: "(" }, side, { text: `−1)×${stride} − ${removed} + ${span} + ${more} + 1 = ` }, result];
  }
  const added = same ? `2×${before}` : `${before} + ${after}`, [open, close] = layer.ceil_mode ? "⌈⌉" : "⌊⌋";
  const less = isDropped(layer, size, axis) ? " − 1" : "";
  const rest = ` + ${added} − ${span} − 1) ÷ ${stride}${close} + 1${less} = `;
  return [{ text: `${open}(` }, side, { text: rest }, result];
}
