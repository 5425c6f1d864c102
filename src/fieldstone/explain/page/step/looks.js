// How each stone of a step looks: its value, tint and state, by how far the step has come. Phase 0: the window has
// moved, 1: its cells are marked, 2: the result is written.

import { fill, scaleOf, signed } from "fieldstone/colours";
import { format } from "fieldstone/numbers";

/** What stays the same from step to step of an output channel and an input channel. */
export function sceneOf(trace, { channel, input }) {
  const kernel = trace.weighted ? trace.kernel(input, channel) : null;
  return {
    trace,
    channel,
    input,
    kernel,
    read: [trace.read(0), trace.read(1)],
    winners: trace.winners(channel),
    scales: {
      input: scaleOf(trace.plane(input)),
      kernel: kernel && scaleOf(kernel),
      output: scaleOf(trace.output(channel)),
    },
  };
}

/** Whether the taps of a step lie apart. */
export function isApart(now) {
  return now.spans.some(({ first, last, places }) => last - first + 1 > places.filter(place => place !== null).length);
}

/** Whether a step uses only some of the weights: of a transposed convolution, or nothing at all. */
export function isPartial({ kernel }, now) {
  return kernel !== null && now.taps.length < kernel.length;
}

export function inputLook(scene, now, phase) {
  const { trace, scales, input } = scene,
    [, height, width] = trace.shape,
    apart = isApart(now);
  const taps = byPlace(phase > 0 ? now.taps : []),
    wins = winsOf(scene, doneSteps(scene, now, phase));
  return (row, column) => {
    const isReal = row >= 0 && row < height && column >= 0 && column < width,
      tap = taps.get(`${row},${column}`);
    const isSkipped = phase > 0 && apart && !tap && isInside(now, row, column);
    const isRead = scene.read[0][row] && scene.read[1][column];
    const under = tap && "weight" in tap ? `×${format(tap.weight)}` : "";
    const state = tap && tap === now.winner ? "win" : !isReal ? "pad" : isSkipped ? "skip" : isRead ? null : "unread";
    const value = trace.valueAt(input, row, column),
      dots = isReal ? (wins.get(row * width + column) ?? 0) : 0;
    return {
      value,
      state,
      under,
      says: under,
      dots,
      tap: apart && Boolean(tap),
      fill: fill("in", value, scales.input),
    };
  };
}

export function kernelLook(scene, now, phase) {
  const taps = new Map(now.taps.map(tap => [tap.tap.join(), tap])),
    { kernel, scales, trace } = scene;
  if (kernel) {
    return (row, column) => {
      const value = kernel[row * trace.layer.kernel[1] + column],
        isUsed = taps.has(`${row},${column}`);
      return { value, fill: signed(value, scales.kernel.most), state: phase > 0 && !isUsed ? "off" : null };
    };
  }
  return (row, column) => {
    const tap = taps.get(`${row},${column}`);
    if (!tap || phase === 0) return { value: null, state: tap ? null : "off" };
    const state = tap === now.winner ? "win" : tap.source === null ? "pad" : null;
    return { value: tap.value, state, fill: fill("in", tap.value, scales.input) };
  };
}

export function outputLook(scene, now, phase) {
  const { trace, channel, scales } = scene,
    values = trace.output(channel),
    done = doneSteps(scene, now, phase);
  const here = doneSteps(scene, now, 0);
  return (row, column) => {
    const step = row * trace.size[1] + column,
      value = step < done ? values[step] : null;
    const state = step === here && value !== null ? "now" : null;
    return { value, state, fill: value === null ? "" : fill("out", value, scales.output) };
  };
}

/** How many outputs are written. */
function doneSteps({ trace }, now, phase) {
  return now.row * trace.size[1] + now.column + (phase > 1 ? 1 : 0);
}

/** How many of the outputs so far each cell of the input has won, by its place in the map. */
function winsOf({ winners }, done) {
  const wins = new Map();
  for (const winner of winners?.subarray(0, done) ?? []) wins.set(winner, (wins.get(winner) ?? 0) + 1);
  return wins;
}

function byPlace(taps) {
  return new Map(taps.map(tap => [`${tap.row},${tap.column}`, tap]));
}

function isInside(now, row, column) {
  return [row, column].every((place, axis) => place >= now.spans[axis].first && place <= now.spans[axis].last);
}
