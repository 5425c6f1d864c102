// In numbers and words where a value of a resized, shuffled, padded, cropped or unpooled map comes from.

import { difference } from "fieldstone/arithmetic";
import { html } from "fieldstone/elements";
import { sides } from "fieldstone/field";
import { count, factor, format, term } from "fieldstone/numbers";
import { placesOf, standing } from "fieldstone/origins";
import { placeOf } from "fieldstone/pointwise";
import { facts, line } from "fieldstone/sheet";
import { addWords, say } from "fieldstone/words";

addWords({
  "whence.upsample": ["Upsampling: {how}", "업샘플링: {how}"],
  "whence.nearest": ["nearest", "최근접"],
  "whence.linear": ["bilinear", "쌍선형"],
  "whence.cubic": ["bicubic", "쌍삼차"],
  "whence.pixelshuffle": ["Pixel shuffle", "픽셀 셔플"],
  "whence.pad": ["Padding: {how}", "패딩: {how}"],
  "whence.constant": ["a constant", "상수"],
  "whence.reflect": ["reflected", "반사"],
  "whence.replicate": ["the edge repeated", "가장자리 반복"],
  "whence.circular": ["wrapped around", "순환"],
  "whence.crop": ["Crop", "자르기"],
  "whence.maxunpool": ["Max unpooling", "최대 언풀링"],
  "whence.one": [
    "{place} It is row {row}, column {column} of channel {channel} of the input, unchanged: {value}.",
    "{place} 입력 채널 {channel}, {row}행 {column}열의 값 그대로입니다: {value}",
  ],
  "whence.copied": [
    "{place} It is padding, and copies row {row}, column {column}: {value}.",
    "{place} 패딩이며 {row}행 {column}열의 값을 복사합니다: {value}",
  ],
  "whence.standing": ["{place} It is padding, where {value} stands.", "{place} 패딩 칸의 값: {value}"],
  "whence.blend": [
    "{place} {n} cells of the input, each times its weight. The weights add up to 1.",
    "{place} 입력 {n}칸에 저마다의 가중치를 곱해 더합니다. 가중치의 합은 1입니다.",
  ],
  "whence.returned": [
    "{place} The largest value of window row {row}, column {column} of block {pool} stood here: {value} returns.",
    "{place} 블록 {pool}에서 {row}행 {column}열 윈도우의 최댓값이 있던 칸: {value}",
  ],
  "whence.empty": [
    "{place} No window of block {pool} had its largest value here: 0.",
    "{place} 블록 {pool}의 어느 윈도우도 여기서 최댓값을 찾지 않았습니다: 0",
  ],
  "whence.channel": ["channel", "채널"],
  "whence.row": ["row", "행"],
  "whence.column": ["column", "열"],
  "whence.outside": ["outside of the map", "맵 바깥"],
  "whence.zero": [
    "Here channels, rows and columns count from 0, as in code.",
    "여기서는 코드처럼 채널, 행, 열을 0부터 셉니다.",
  ],
  "whence.float32": [
    "PyTorch multiplies by {from} ÷ {to} as a float32, {scale}, which changes the result here.",
    "PyTorch는 {from} ÷ {to}의 float32 값({scale})을 곱하므로 여기서 결과가 달라집니다.",
  ],
  "whence.place": ["Where it lies, counted from 0", "놓이는 자리 (0부터)"],
  "whence.sizes": ["Sizes", "크기"],
  "whence.channels": ["channels", "채널 수"],
  "whence.rows": ["rows", "행 수"],
  "whence.columns": ["columns", "열 수"],
  "whence.undoes": ["undoes block {path}", "되돌리는 블록 {path}"],
  "whence.top": ["above", "위"],
  "whence.bottom": ["below", "아래"],
  "whence.left": ["left", "왼쪽"],
  "whence.right": ["right", "오른쪽"],
});

/** The heading of a layer's view. */
export function titleOf({ type, mode, padding_mode: padding }) {
  const how = mode ?? padding;
  return say(`whence.${type}`, how ? { how: say(`whence.${how}`) } : {});
}

/** Writes sentence, arithmetic and note of one cell; `values` are its taps with what they hold. */
export function tell(on, layer, now) {
  const formulas = blends(layer) ? [] : formulasOf(layer, now);
  const own = now.values.length
    ? Math.fround(now.values.reduce((sum, { value, weight }) => sum + value * weight, 0))
    : standing(layer);
  on.sentence.textContent = sentence(layer, now);
  on.arithmetic.replaceChildren(...(blends(layer) ? products(now, own) : places(formulas, now, own)));
  const notes = new Set(formulas.flatMap(({ notes = [] }) => [say("whence.zero"), ...notes]));
  on.note.textContent = difference({ own, recorded: now.recorded, size: sizeOf(now) }) || [...notes].join(" ");
}

const blends = ({ type, mode }) => type === "upsample" && mode !== "nearest";

/** The sizes of what is added, and how far torch's float32 of a large place is off. */
function sizeOf({ values, axes }) {
  const read = values.map(({ value }) => value);
  const terms = values.reduce((sum, { value, weight }) => sum + Math.abs(value * weight), 0);
  const off = axes ? 2 * Math.max(0, ...axes.map(({ place }) => place)) : 0;
  return terms + (off && off * (Math.max(...read) - Math.min(...read)));
}

function sentence(layer, now) {
  const { type, pool } = layer, [first] = now.values;
  const said = { place: placeOf(now.output, now.cell), value: term(now.recorded), pool, n: count(now.values.length) };
  if (!first) return say(type === "maxunpool" ? "whence.empty" : "whence.standing", said);
  const at = { ...said, channel: first.channel + 1, row: first.row + 1, column: first.column + 1 };
  if (blends(layer) && now.values.length > 1) return say("whence.blend", at);
  if (type === "maxunpool") return say("whence.returned", at);
  return say(type === "pad" && isOutside(layer, now) ? "whence.copied" : "whence.one", at);
}

function isOutside(layer, { input, cell }) {
  const { rows, columns } = sides(input);
  return placesOf(layer, cell).some((place, axis) => place < 0 || place >= [rows, columns][axis]);
}

/** value × weight + … = result; a row of the window does not break. */
function products({ values, recorded }, own) {
  const rows = Map.groupBy(values, ({ row }) => row);
  const written = one =>
    html(
      "span",
      { class: "arithmetic-term" },
      one === values[0] ? null : line.sign("+"),
      html("span", {}, line.value(one.value), line.sign("×"), line.weight(one.weight)),
    );
  return [
    ...[...rows.values()].map(row => line.group(...row.map(written))),
    line.group(line.equals(values.map(({ value, weight }) => [value, weight]), recorded), line.result(own, recorded)),
  ];
}

/** {name, text, result, notes} a row, column or channel: what is read is at `result`, by the formula in `text`. */
function formulasOf(layer, now) {
  const by = { upsample: scaled, pixelshuffle: shuffled, pad: moved, crop: moved, maxunpool: returned };
  return by[layer.type](layer, now);
}

/** The place that is read by its formula, and the value there. */
function places(formulas, now, own) {
  const number = value => html("b", { "data-place": value }, signed(value));
  const groups = formulas.map(({ name, text, result }) =>
    line.group(
      line.word(say(`whence.${name}`)),
      line.sign("="),
      html("span", { "data-formula": name }, text),
      ...(result === undefined ? [] : [line.sign("="), number(result)]),
    ),
  );
  return [...groups, line.group(line.sign("→"), line.result(own, now.recorded))];
}

const AXES = ["row", "column"];
const signed = value => String(value).replace("-", "−");

/** By the ratio of the sides; where its float32, by which torch multiplies, reads another cell, by that. */
function scaled(layer, { input, output, cell, values: [tap] }) {
  return AXES.map(name => {
    const [from, to] = [input, output].map(tensor => sides(tensor)[`${name}s`]), at = cell[name], result = tap[name];
    if (Math.floor((at * from) / to) === result) return { name, text: `⌊${at} × ${from} ÷ ${to}⌋`, result };
    const scale = Math.fround(from / to).toPrecision(9); // enough digits for any float32
    return { name, text: `⌊${at} × ${scale}⌋`, result, notes: [say("whence.float32", { from, to, scale })] };
  });
}

function shuffled({ factor }, { cell: { channel, row, column }, values: [tap] }) {
  const within = `(${row} mod ${factor}) × ${factor} + (${column} mod ${factor})`;
  return [
    { name: "channel", text: `${channel} × ${factor ** 2} + ${within}`, result: tap.channel },
    ...AXES.map(name => ({ name, text: `⌊${{ row, column }[name]} ÷ ${factor}⌋`, result: tap[name] })),
  ];
}

function moved(layer, { input, cell, values: [tap] }) {
  const { rows, columns } = sides(input);
  return placesOf(layer, cell).map((place, axis) => {
    const [name, size, before] = [AXES[axis], [rows, columns][axis], layer.padding[axis][0]];
    const shift = `${cell[name]} ${before < 0 ? "+" : "−"} ${Math.abs(before)}`;
    const isInside = place >= 0 && place < size;
    if (isInside) return { name, text: shift, result: place };
    if (!tap) return { name, text: `${shift} = ${signed(place)}, ${say("whence.outside")}` };
    return { name, text: `${shift} = ${signed(place)} → ${copied(layer, place, size)}`, result: tap[name] };
  });
}

function returned(layer, { values: [tap] }) {
  return tap ? AXES.map(name => ({ name, text: String(tap[name]) })) : [];
}

/** How a place outside of a map becomes one of it. */
function copied({ padding_mode: mode }, place, size) {
  const isBefore = place < 0;
  if (mode === "circular") return `${signed(place)} ${isBefore ? "+" : "−"} ${size}`;
  if (mode === "replicate") return isBefore ? `max(0, ${signed(place)})` : `min(${size - 1}, ${place})`;
  return isBefore ? `|${signed(place)}|` : `2 × ${size - 1} − ${place}`;
}

/** The boxes beside: sizes, and of a blend where it lies; what is given back writes the latter for a cell. */
export function boxes(on, layer, pool, [input, output]) {
  const list = html("div", { class: "whence-place" });
  if (blends(layer)) on.box(say("whence.place"), list);
  const undone = pool ? [[say("whence.undoes", { path: pool.path }), html("code", {}, pool.notation)]] : [];
  on.box(say("whence.sizes"), facts(...sizes(layer, input, output), ...undone));
  return ({ cell, axes }) => {
    if (blends(layer)) list.replaceChildren(...axes.flatMap((axis, at) => lying(layer, cell, axis, at, input, output)));
  };
}

function sizes({ padding, align_corners: corners }, input, output) {
  const [from, to] = [input, output].map(sides);
  const rows = ["channels", "rows", "columns"].map(name => [say(`whence.${name}`), `${from[name]} → ${to[name]}`]);
  const ends = ["top", "bottom", "left", "right"].map((name, at) => [say(`whence.${name}`), padding?.flat()[at]]);
  if (padding) rows.push(...ends.map(([name, cells]) => [name, `${cells < 0 ? "−" : "+"} ${Math.abs(cells)}`]));
  return corners === undefined ? rows : [...rows, [html("code", {}, "align_corners"), String(corners)]];
}

/** Where a cell lies on an axis of the input, and what it takes of the cells around. */
function lying({ align_corners: corners }, cell, { place, taps }, axis, input, output) {
  const name = AXES[axis], [size, out] = [input, output].map(tensor => sides(tensor)[`${name}s`]);
  const word = html("b", {}, say(`whence.${name}`)), lies = html("b", {}, format(place));
  const weights = facts(...taps.map(({ at, weight }) => [`${say(`whence.${name}`)} ${at}`, weighed(weight)]));
  if (corners && out === 1) return [html("p", {}, word, " ", lies), weights];
  const scaled = corners
    ? `${cell[name]} × (${size} − 1) ÷ (${out} − 1)`
    : `(${cell[name]} + 0.5) × ${size} ÷ ${out} − 0.5`;
  const text = place === 0 && !corners ? `max(0, ${scaled})` : scaled;
  const isExact = Math.abs(place - Number(place.toFixed(2))) < 1e-9;
  return [html("p", {}, word, ` ${text} ${isExact ? "=" : "≈"} `, lies), weights];
}

const weighed = weight => html("span", { "data-weight": weight }, `× ${factor(weight)}`);
