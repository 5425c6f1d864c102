// The strips of channels of a step view: of the input, and of the output.

import { Chooser } from "fieldstone/channels";
import { say } from "fieldstone/words";

/** The choosers that a layer needs, in so many pixels; `on` is {picked(name, channel), opened(name, isOpen)}. */
export function choosersOf(trace, state, arrays, width, on) {
  const isPair = width >= 560 && trace.weighted,
    half = isPair ? (width - 32) / 2 : width;
  const make = (name, channels, plane, words) =>
    channels.length < 2
      ? []
      : [
          new Chooser({
            name,
            channels,
            plane,
            words,
            width: half,
            chosen: state[name === "input" ? "input" : "channel"],
            isOpen: state.open[name] ?? false,
            picked: channel => on.picked(name, channel),
            opened: isOpen => on.opened(name, isOpen),
          }),
        ];
  const input = channel => ({ values: trace.plane(channel), height: trace.shape[1], width: trace.shape[2] });
  const all = Array.from({ length: trace.filters }, (_, channel) => channel);
  if (!trace.weighted) return make("both", all, input, words("one", state.channel, all.length));
  return [
    ...make("input", trace.channelsOf(state.channel), input, inputWords(trace, state)),
    ...make("output", all, channel => recorded(arrays, channel), words("output", state.channel, all.length)),
  ];
}

function inputWords(trace, state) {
  const { groups } = trace.layer,
    [channels] = trace.shape;
  if (groups === 1) return words("input", state.input, channels);
  return words("group", state.input, channels, { group: Math.floor(state.channel / (trace.filters / groups)) + 1 });
}

function words(key, channel, n, more = {}) {
  return say(`channels.${key}`, { channel: channel + 1, n, ...more });
}

/** A map that the network recorded; null where it is not known. */
function recorded({ recorded: values, made: [, height, width] }, channel) {
  const cells = height * width;
  return values && { values: values.subarray(channel * cells, (channel + 1) * cells), height, width };
}
