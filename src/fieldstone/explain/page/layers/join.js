// Where paths meet: add, multiply, concat. Any cell of the output, and the cells that it is made of.

import { difference } from "fieldstone/arithmetic";
import { html } from "fieldstone/elements";
import { centre, channelChooser, field, sides, valueAt } from "fieldstone/field";
import { times } from "fieldstone/numbers";
import { placeOf, room, sizeOf } from "fieldstone/pointwise";
import { facts, keep, line, mapLeftOut, sheetView, steps } from "fieldstone/sheet";
import { addWords, say } from "fieldstone/words";

addWords({
  "join.add": ["Add", "더하기"],
  "join.multiply": ["Multiply", "곱하기"],
  "join.concat": ["Concatenate", "이어 붙이기"],
  "join.source": ["From {path}", "{path}에서"],
  "join.input": ["the input", "입력"],
  "join.values": ["{place} {n} values, one from each path.", "{place} 경로마다 하나씩, 값 {n}개."],
  "join.channel": [
    "{place} It is channel {channel} of {path}, unchanged.",
    "{place} {path}의 채널 {channel} 값 그대로입니다.",
  ],
  "join.channels": ["Channels", "채널"],
  "join.range": ["{first} to {last}", "{first} ~ {last}"],
});

export function view(root, store, block) {
  const how = block.layer.type;
  const needed = [store.output(block.path), ...block.sources.map((_, place) => store.input(block, place))];
  return sheetView(
    root,
    block,
    say(`join.${how}`),
    needed,
    (on, output, ...sources) => draw(on, store, block, output, sources),
    how !== "concat",
  );
}

/** For each source the cell that an output cell takes, or null: of a concat each channel is of one path. */
function takenBy(block, sources, { channel, row, column }) {
  return sources.map((tensor, place) => {
    const { before = [0, 0], channels } = block.reach[place];
    if (channels && (channel < channels[0] || channel >= channels[1])) return null;
    const size = sides(tensor);
    const within = (at, count) => (count === 1 ? 0 : at);
    return {
      channel: within(channel - (channels?.[0] ?? 0), size.channels),
      row: within(row - before[0], size.rows),
      column: within(column - (before[1] ?? 0), size.columns),
    };
  });
}

const nameOf = path => (path === "input" ? say("join.input") : path);

function draw(on, store, block, output, sources) {
  const how = block.layer.type;
  const missing = sources.findIndex(tensor => !tensor?.data);
  if (!output || missing >= 0) {
    on.stage.append(mapLeftOut(store, output ? block.sources[missing] : block.path));
    return;
  }
  const { channels, rows, columns } = sides(output);
  const cell = keep(block.path, () => centre(output));
  const size = room(on.width(), output, 100, how === "concat" ? 2 : Math.min(3, sources.length + 1));
  const go = to => {
    Object.assign(cell, to);
    show();
  };
  const fields = sources.map((tensor, place) =>
    field(
      tensor,
      {
        ...size,
        name: "input",
        label: say("join.source", { path: nameOf(block.sources[place]) }),
        size: `${times(tensor.shape)}`,
      },
      at => go(back(block, place, at)),
    ),
  );
  const to = field(output, { ...size, name: "output", label: say("words.output"), size: times(output.shape) }, go);
  const sign = text => html("span", { class: "sheet-operator" }, text);
  const row = html("div", { class: "sheet-row join" });
  on.stage.append(
    ...[channels > 1 ? channelChooser(channels, cell.channel, channel => go({ channel })) : null, row].filter(Boolean),
  );
  if (how === "concat") ranges(on, block);
  const step = steps(on, rows * columns, at => go({ row: Math.floor(at / columns), column: at % columns }));
  function show() {
    const taken = takenBy(block, sources, cell);
    const shown = fields.map((one, place) => [one, place]).filter(([, place]) => taken[place]);
    for (const [one, place] of shown) one.show(taken[place]);
    to.show(cell);
    const wanted = shown.map(([, place]) => place).join();
    if (row.dataset.sources !== wanted) {
      row.dataset.sources = wanted;
      row.replaceChildren(
        ...shown.flatMap(([one], at) => (at ? [sign(how === "multiply" ? "×" : "+"), one.element] : [one.element])),
        sign(how === "concat" ? "→" : "="),
        to.element,
      );
    }
    tell(on, block, { output, sources, taken, cell });
    step.show(cell.row * columns + cell.column);
  }
  show();
}

/** The output cell that a cell of a source is part of. */
function back(block, place, { row, column }) {
  const { before = [0, 0] } = block.reach[place];
  const last = (at, axis) => Math.max(0, Math.min(block.output_shape.at(axis) - 1, at));
  return { row: last(row + before[0], -2), column: last(column + (before[1] ?? 0), -1) };
}

function tell(on, block, { output, sources, taken, cell }) {
  const places = taken.map((one, place) => place).filter(place => taken[place]);
  const values = places.map(place => valueAt(sources[place], taken[place]));
  const recorded = valueAt(output, cell);
  const how = block.layer.type;
  const place = placeOf(output, cell);
  const own = values.reduce((total, value) => (how === "multiply" ? total * value : total + value));
  const products = how === "multiply" ? [values] : values.map(value => [value]);
  on.arithmetic.replaceChildren(
    ...values.map((value, at) =>
      line.group(at ? line.sign(how === "multiply" ? "×" : "+") : null, at ? line.value(value) : line.first(value)),
    ),
    line.group(line.equals(products, recorded), line.result(own, recorded)),
  );
  on.sentence.textContent =
    how === "concat"
      ? say("join.channel", { place, channel: taken[places[0]].channel + 1, path: nameOf(block.sources[places[0]]) })
      : say("join.values", { place, n: values.length });
  const size = values.reduce((total, value) => total + Math.abs(value), 0);
  on.note.textContent = difference({ own, recorded, size });
}

/** A box of which channels each path brings. */
function ranges(on, block) {
  const rows = block.reach.map(({ channels: [first, end] }, place) => [
    say("join.source", { path: nameOf(block.sources[place]) }),
    say("join.range", { first: first + 1, last: end }),
  ]);
  on.box(say("join.channels"), facts(...rows));
}
