// One window layer on one image: what each of its windows reads, what it comes to, and what the network recorded.

import {
  NOTHING,
  channelsOf,
  compute,
  filtersOf,
  kernelStart,
  kindOf,
  outputSize,
  paddingValue,
  readings,
  sourceOf,
  windowsAlong,
} from "fieldstone/layers";

export class Trace {
  #planes = new Map(); // output channel -> what `compute` gives
  #longest = [];

  /**
   * @param layer the block's LAYER with `kernel`, and weight and bias as arrays.
   * @param input (C, H, W), flat, of the shape beside it.
   * @param recorded what the network gave, (filters, rows, columns) flat; null where it is not known, or where the
   *   settings are not the network's.
   */
  constructor(layer, input, shape, recorded) {
    Object.assign(this, { layer, input, shape, recorded });
    this.kind = kindOf(layer);
    this.weighted = this.kind === "conv" || this.kind === "upconv";
    this.filters = filtersOf(layer, shape[0]);
    this.size = outputSize(layer, shape.slice(1));
    this.axes = [0, 1].map(axis => windowsAlong(layer, shape[axis + 1], axis));
    this.steps = this.size[0] * this.size[1];
  }

  /** The input channels that an output channel reads. */
  channelsOf(channel) {
    return channelsOf(this.layer, this.shape[0], channel, this.filters);
  }

  /** One channel of the input, (H, W) flat. */
  plane(channel) {
    const cells = this.shape[1] * this.shape[2];
    return this.input.subarray(channel * cells, (channel + 1) * cells);
  }

  /** What stands at a place of an input channel, padding included. */
  valueAt(channel, row, column) {
    const [down, along] = [sourceOf(this.layer, row, this.shape[1]), sourceOf(this.layer, column, this.shape[2])];
    return down < 0 || along < 0 ? paddingValue(this.layer) : this.plane(channel)[down * this.shape[2] + along];
  }

  /** The weights that lead from an input channel to an output channel, flat. */
  kernel(input, channel) {
    const first = kernelStart(this.layer, this.shape[0], this.filters, input, channel);
    return this.layer.weight.subarray(first, first + this.layer.kernel[0] * this.layer.kernel[1]);
  }

  /** One channel of the output: the recorded one, or else this page's own. */
  output(channel) {
    return this.recorded?.subarray(channel * this.steps, (channel + 1) * this.steps) ?? this.#own(channel).data;
  }

  /** Of max pooling: for each output cell the cell of the input map that won, −1 for padding; null of any other. */
  winners(channel) {
    return this.kind === "max" ? this.#own(channel).winners : null;
  }

  #own(channel) {
    if (!this.#planes.has(channel)) {
      this.#planes.set(channel, compute(this.layer, this.input, this.shape, { channels: [channel] }));
    }
    return this.#planes.get(channel);
  }

  /** The places that a window reads along an axis: {first, last, places}, a place a tap (null: none). */
  span(axis, at) {
    const { taps, out, places, sources } = this.axes[axis];
    const read = Array.from({ length: taps }, (_, tap) => tap * out + at).map(index =>
      sources[index] === NOTHING ? null : places[index],
    );
    const there = read.filter(place => place !== null);
    return { first: Math.min(...there), last: Math.max(...there), places: read };
  }

  /** The most places that any window spans along an axis. */
  longest(axis) {
    if (!this.#longest[axis]) {
      const spans = Array.from({ length: this.size[axis] }, (_, at) => this.span(axis, at));
      this.#longest[axis] = Math.max(1, ...spans.map(({ first, last }) => last - first + 1).filter(Number.isFinite));
    }
    return this.#longest[axis];
  }

  /** Whether some window steps over cells that lie between those which it reads. */
  get skips() {
    return [0, 1].some(axis =>
      Array.from({ length: this.size[axis] }, (_, at) => this.span(axis, at)).some(
        ({ first, last, places }) => last - first + 1 > places.filter(place => place !== null).length,
      ),
    );
  }

  /** The first step whose window reads a place; −1 if none does. */
  covering(row, column) {
    const [down, along] = [row, column].map((place, axis) => {
      const { taps, out, places, sources } = this.axes[axis];
      for (let at = 0; at < out; at++)
        for (let tap = 0; tap < taps; tap++) {
          if (sources[tap * out + at] !== NOTHING && places[tap * out + at] === place) return at;
        }
      return -1;
    });
    return down < 0 || along < 0 ? -1 : down * this.size[1] + along;
  }

  /** Which rows (axis 0) or columns (1) of the input some window reads. */
  read(axis) {
    const { size, sources } = this.axes[axis],
      found = new Array(size).fill(false);
    for (const source of sources) if (source >= 0) found[source] = true;
    return found;
  }

  /**
   * One window of an output channel; the taps are of one input channel.
   *
   * @returns {{row, column, spans, taps: [{tap, row, column, source, value, weight, term}], own, recorded, size, …}}
   *   size is the sum of the terms' sizes. Of a max: winner (a tap), ties. Of a mean: sum, count. Of a convolution:
   *   sum (of this input channel), sums [{channel, sum}], bias (null without one).
   */
  at(step, channel, input) {
    const row = Math.floor(step / this.size[1]),
      column = step % this.size[1];
    const read = readings(this.layer, this.shape, [row, column]);
    const spans = [this.span(0, row), this.span(1, column)];
    const made = this.weighted ? this.#products(read, channel, input) : this.#pooled(read, channel);
    return { row, column, spans, recorded: this.output(channel)[step], ...made };
  }

  #values(read, channel) {
    const plane = this.plane(channel),
      outside = paddingValue(this.layer);
    return read.map(reading => (reading.source === null ? outside : plane[reading.source]));
  }

  #products(read, channel, input) {
    const width = this.layer.kernel[1],
      places = read.map(({ tap }) => tap[0] * width + tap[1]);
    const termsOf = one => {
      const kernel = this.kernel(one, channel);
      return this.#values(read, one).map((value, at) => ({ value, weight: kernel[places[at]] }));
    };
    const sums = [];
    let size = 0;
    for (const one of this.channelsOf(channel)) {
      const terms = termsOf(one).map(({ value, weight }) => value * weight);
      sums.push({ channel: one, sum: total(terms) });
      size += total(terms.map(Math.abs));
    }
    const bias = this.layer.bias ? this.layer.bias[channel] : null;
    const taps = termsOf(input).map((term, at) => ({ ...read[at], ...term, term: term.value * term.weight }));
    return {
      taps,
      sums,
      sum: total(taps.map(tap => tap.term)),
      bias,
      size: size + Math.abs(bias ?? 0),
      own: total(sums.map(({ sum }) => sum)) + (bias ?? 0),
    };
  }

  #pooled(read, channel) {
    const values = this.#values(read, channel),
      taps = read.map((one, at) => ({ ...one, value: values[at] }));
    if (this.kind === "max") {
      const winner = largest(taps),
        own = winner?.value ?? -Infinity;
      return { taps, winner, own, size: Math.abs(own), ties: values.filter(value => value === own).length };
    }
    const counted = (this.layer.count_include_pad ?? true) ? taps : taps.filter(tap => tap.source !== null);
    const sum = total(values),
      count = counted.length;
    return { taps, sum, count, own: count ? sum / count : 0, size: total(values.map(Math.abs)) / (count || 1) };
  }
}

/** The tap that wins: the first of equal ones, the last NaN; padding never does, as in torch. */
function largest(taps) {
  let winner = null;
  for (const tap of taps) {
    if (tap.source === null) continue;
    if (!winner || tap.value > winner.value || Number.isNaN(tap.value)) winner = tap;
  }
  return winner;
}

function total(values) {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Whether this page's own result is not the recorded one: by more than 1e-4 of it, or of a cancelled sum's terms. */
export function differs({ own, recorded, size }) {
  if (Object.is(own, recorded) || own === recorded) return false;
  return !(Math.abs(own - recorded) <= 1e-4 * Math.max(Math.abs(recorded), 1e-3 * size));
}
