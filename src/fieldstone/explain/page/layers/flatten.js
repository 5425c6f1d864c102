// Flatten: where each cell of the map goes in the vector.

import { html } from "fieldstone/elements";
import { channelChooser, field, join, sides, writeChannel } from "fieldstone/field";
import { svg } from "fieldstone/grid";
import { count, term } from "fieldstone/numbers";
import { room, sizeOf } from "fieldstone/pointwise";
import { facts, keep, line, mapLeftOut, sheetView, steps } from "fieldstone/sheet";
import { addWords, say } from "fieldstone/words";

addWords({
  "flatten.title": ["Flatten", "펼치기"],
  "flatten.sentence": [
    "Channel {channel}, row {row}, column {column} goes to place {index} of {n}. Its value stays {value}.",
    "채널 {channel}, {row}행 {column}열의 값이 {n}개 중 {index}번 자리로 갑니다. 값은 그대로 {value}입니다.",
  ],
  "flatten.note": [
    "Here all count from 0, as in code: c = {c}, r = {r}, col = {col}, H = {rows}, W = {columns}.",
    "여기서는 코드처럼 0부터 셉니다: c = {c}, r = {r}, col = {col}, H = {rows}, W = {columns}.",
  ],
  "flatten.index": ["index", "번호"],
  "flatten.nothing": [
    "No arithmetic: the same numbers, in one row. Channel after channel, row after row.",
    "계산은 없습니다. 같은 수를 채널마다, 행마다 한 줄로 늘어놓습니다.",
  ],
  "flatten.sizes": ["Sizes", "크기"],
});

export function view(root, store, block) {
  const needed = [store.input(block), store.output(block.path)];
  return sheetView(root, block, say("flatten.title"), needed, (on, input, output) =>
    draw(on, store, block, input, output),
  );
}

/** The place of a cell in the vector: (c·H + r)·W + col. */
export const indexOf = ({ rows, columns }, { channel, row, column }) => (channel * rows + row) * columns + column;

/** The cell at a place of the vector. */
export const cellOf = ({ rows, columns }, index) => ({
  channel: Math.floor(index / (rows * columns)),
  row: Math.floor(index / columns) % rows,
  column: index % columns,
});

function draw(on, store, block, input, output) {
  if (!input?.data) {
    on.stage.append(mapLeftOut(store, block.path));
    return;
  }
  const size = sides(input);
  const cell = keep(block.path, () => ({ channel: 0, row: 0, column: 0 }));
  const width = on.width();
  const go = to => {
    Object.assign(cell, to);
    show();
  };
  const standing = { data: output.data, shape: [1, output.data.length, 1] };
  const from = field(
    input,
    {
      ...room(width, input, 120),
      name: "input",
      label: say("words.input"),
      size: `${size.channels} × ${sizeOf(input)}`,
    },
    go,
  );
  const to = field(
    standing,
    {
      ...room(width, input),
      columns: 1,
      rows: 4 + room(width, input).rows,
      name: "output",
      label: say("words.output"),
      size: count(output.data.length),
    },
    ({ row }) => go(cellOf(size, row)),
  );
  const chooser = channelChooser(size.channels, cell.channel, channel => go({ channel }));
  const ray = svg("path", { class: "flatten-ray" });
  on.stage.append(
    ...(size.channels > 1 ? [chooser] : []),
    html(
      "div",
      { class: "flatten" },
      svg("svg", { class: "flatten-under", "aria-hidden": "true" }, ray),
      from.element,
      to.element,
    ),
  );
  on.box(
    say("flatten.sizes"),
    facts(["C × H × W", `${size.channels} × ${size.rows} × ${size.columns}`], ["=", count(output.data.length)]),
    html("p", { class: "flatten-nothing" }, say("flatten.nothing")),
  );
  const step = steps(on, output.data.length, index => go(cellOf(size, index)));
  function show() {
    const index = indexOf(size, cell);
    from.show(cell);
    to.show({ channel: 0, row: index, column: 0 });
    writeChannel(chooser, cell.channel);
    tell(on, size, cell, index, output.data[index]);
    join(ray, ...[from, to].map(({ element }) => element.querySelector(".field-frame")));
    step.show(index);
  }
  show();
}

function tell(on, { channels, rows, columns }, { channel, row, column }, index, value) {
  on.sentence.textContent = say("flatten.sentence", {
    channel: channel + 1,
    row: row + 1,
    column: column + 1,
    index: count(index + 1),
    n: count(channels * rows * columns),
    value: term(value),
  });
  const number = text => html("b", {}, String(text));
  on.arithmetic.replaceChildren(
    line.group(line.word(say("flatten.index")), line.sign("="), html("span", {}, "(c × H + r) × W + col")),
    line.group(
      line.sign("= ("),
      number(channel),
      line.sign("×"),
      number(rows),
      line.sign("+"),
      number(row),
      line.sign(") ×"),
      number(columns),
      line.sign("+"),
      number(column),
    ),
    line.group(line.sign("="), html("b", { class: "arithmetic-result", "data-index": index }, String(index))),
  );
  on.note.textContent = say("flatten.note", { c: channel, r: row, col: column, rows, columns });
}
