// A step in numbers and words: the line of arithmetic, the sentence, and where the gradient goes.

import { html } from "fieldstone/elements";
import { slides } from "fieldstone/layers";
import { equals, exact, factor, term } from "fieldstone/numbers";
import { differs } from "fieldstone/trace";
import { addWords, say } from "fieldstone/words";

addWords({
  "arithmetic.more": ["{n} more", "나머지 {n}개"],
  "arithmetic.bias": ["bias", "편향"],
  "arithmetic.at": ["Output row {row}, column {column}.", "출력 {row}행 {column}열."],
  "arithmetic.max": ["The largest of {n} values is {value}.", "값 {n}개의 최댓값: {value}"],
  "arithmetic.tie": [
    "Equal values: the first one wins, as in PyTorch.",
    "값이 같으면 PyTorch처럼 먼저 나온 칸을 고릅니다.",
  ],
  "arithmetic.nan": ["NaN wins over every number, as in PyTorch.", "PyTorch처럼 NaN은 모든 수를 이깁니다."],
  "arithmetic.cut": [
    "The window hangs over the edge: {n} of its {all} cells are not there.",
    "윈도우가 가장자리를 넘습니다: 칸 {all}개 중 {n}개는 없는 칸입니다.",
  ],
  "arithmetic.empty": ["The window reads padding alone.", "윈도우가 패딩만 읽습니다."],
  "arithmetic.mean": ["{n} values add up to {sum}.", "값 {n}개의 합: {sum}"],
  "arithmetic.counted": ["Padding is counted: count_include_pad=true.", "패딩도 셉니다: count_include_pad=true"],
  "arithmetic.uncounted": [
    "Padding is not counted: count_include_pad=false.",
    "패딩은 세지 않습니다: count_include_pad=false",
  ],
  "arithmetic.conv": [
    "{n} values times {n} weights, summed, plus the bias.",
    "값 {n}개에 가중치 {n}개를 곱해 더하고 편향을 더합니다.",
  ],
  "arithmetic.conv1": ["1 value times 1 weight, plus the bias.", "값 하나에 가중치 하나를 곱하고 편향을 더합니다."],
  "arithmetic.plain1": [
    "1 value times 1 weight; there is no bias.",
    "값 하나에 가중치 하나를 곱합니다. 편향은 없습니다.",
  ],
  "arithmetic.channels1": [
    "1 value times 1 weight in each of {channels} channels, all summed, plus the bias.",
    "채널 {channels}개마다 값 하나에 가중치 하나를 곱해 모두 더하고 편향을 더합니다.",
  ],
  "arithmetic.unbiased1": [
    "1 value times 1 weight in each of {channels} channels, all summed; there is no bias.",
    "채널 {channels}개마다 값 하나에 가중치 하나를 곱해 모두 더합니다. 편향은 없습니다.",
  ],
  "arithmetic.plain": [
    "{n} values times {n} weights, summed; there is no bias.",
    "값 {n}개에 가중치 {n}개를 곱해 더합니다. 편향은 없습니다.",
  ],
  "arithmetic.channels": [
    "{n} values times {n} weights in each of {channels} channels, all summed, plus the bias.",
    "채널 {channels}개마다 값 {n}개에 가중치 {n}개를 곱해 모두 더하고 편향을 더합니다.",
  ],
  "arithmetic.unbiased": [
    "{n} values times {n} weights in each of {channels} channels, all summed; there is no bias.",
    "채널 {channels}개마다 값 {n}개에 가중치 {n}개를 곱해 모두 더합니다. 편향은 없습니다.",
  ],
  "arithmetic.nothing": ["No value reaches this cell.", "이 칸에 닿는 값이 없습니다."],
  "arithmetic.channel": ["channel {channel}", "채널 {channel}"],
  "arithmetic.toMax": [
    "Gradient: all of it returns to input row {row}, column {column}.",
    "기울기: 전부 입력 {row}행 {column}열로 돌아갑니다.",
  ],
  "arithmetic.toMean": ["Gradient: each cell receives 1 ÷ {n} of it.", "기울기: 칸마다 1 ÷ {n}씩 돌아갑니다."],
  "arithmetic.toConv": [
    "Gradient: each cell receives it times its weight.",
    "기울기: 칸마다 가중치를 곱한 만큼 돌아갑니다.",
  ],
  "arithmetic.toNone": ["Gradient: none of it returns.", "기울기: 돌아가는 칸이 없습니다."],
  "arithmetic.differs": [
    "This page's own result is {own}; the network recorded {recorded}.",
    "이 페이지의 계산: {own}, 네트워크의 기록: {recorded}",
  ],
});

const MOST = 25,
  LARGEST = 6; // terms that are written out; of more the largest few

/** The line of a step. Phase 0: nothing is marked, 1: its terms are, 2: the result stands there. */
export function line(trace, now, input, phase) {
  return { max: maximum, mean, conv: products, upconv: products }[trace.kind](now, input, phase, trace);
}

function maximum(now, input, phase) {
  const { shown, rest } = chosen(now.taps, tap => tap.value);
  const groups = rows(shown, (tap, isLast) => [
    number(tap.value, { isAlone: true, win: phase > 0 && tap === now.winner, nil: tap.source === null }),
    isLast && !rest.length ? null : sign(","),
  ]);
  if (rest.length) groups.push(group(html("span", {}, say("arithmetic.more", { n: rest.length }))));
  return [html("b", {}, "max"), ...bracketed(groups), group(...result(now, phase, "="))];
}

function mean(now, input, phase, { layer }) {
  const counted = (layer.count_include_pad ?? true) ? now.taps : now.taps.filter(tap => tap.source !== null);
  const { shown, rest } = chosen(counted, tap => Math.abs(tap.value)),
    others = total(rest.map(tap => tap.value));
  const groups = rows(shown, (tap, _, isFirst) => [
    isFirst ? null : sign("+"),
    number(tap.value, { nil: tap.source === null }),
  ]);
  if (rest.length) groups.push(more(rest, others));
  bracketed(groups).push(group(sign("÷"), html("span", {}, String(now.count))));
  if (phase < 2) return groups;
  const written = [...shown.map(tap => [tap.value]), ...(rest.length ? [[others]] : [])];
  return [
    ...groups,
    group(
      sign(equals(written, now.sum)),
      number(now.sum),
      sign("÷"),
      html("span", {}, String(now.count)),
      ...result(now, phase, now.count ? equals(now.sum, now.recorded, now.count) : "≈"),
    ),
  ];
}

function products(now, input, phase, trace) {
  const { shown, rest } = chosen(now.taps, tap => Math.abs(tap.term)),
    others = total(rest.map(tap => tap.term));
  const groups = rows(shown, (tap, _, isFirst) => [isFirst ? null : sign("+"), product(tap)]);
  if (rest.length) groups.push(more(rest, others));
  const written = [...shown.map(tap => [tap.value, tap.weight]), ...(rest.length ? [[others]] : [])];
  if (now.sums.length > 1) {
    return phase < 2 ? groups : [...groups, group(sign(equals(written, now.sum)), number(now.sum, { sum: true }))];
  }
  return [...groups, biased(now, written, phase, shown.length > 0)];
}

/** `Σ 3.42 + bias 0.10 = 3.52`, of all channels. */
export function sumLine(now, phase) {
  const sum = now.own - (now.bias ?? 0);
  return [group(sign("Σ"), number(sum)), biased(now, [[sum]], phase, true)];
}

function biased(now, written, phase, isAdded) {
  const bias = now.bias === null ? [] : [isAdded ? sign("+") : null, sign(say("arithmetic.bias")), number(now.bias)];
  const terms = now.bias === null ? written : [...written, [now.bias]];
  return group(...bias, ...result(now, phase, equals(terms.length ? terms : 0, now.recorded)));
}

/** All taps, or the largest few and the rest. */
function chosen(taps, size) {
  if (taps.length <= MOST) return { shown: taps, rest: [] };
  const order = [...taps].sort((one, other) => size(other) - size(one));
  return { shown: order.slice(0, LARGEST), rest: order.slice(LARGEST) };
}

/** A group a row of the window, which does not break; of the largest few one each. */
function rows(taps, write) {
  const byRow = grouped(taps);
  const isOrdered = taps.every((tap, at) => at === 0 || tap.tap[0] >= taps[at - 1].tap[0]);
  const groups = isOrdered ? [...byRow.values()] : taps.map(tap => [tap]);
  const written = tap =>
    html("span", { class: "arithmetic-term" }, ...write(tap, tap === taps.at(-1), tap === taps[0]));
  return groups.map(members => group(...members.map(written)));
}

/** Puts brackets around the first and the last of some groups, which stay where they are. */
function bracketed(groups) {
  groups[0]?.prepend(sign("("));
  groups.at(-1)?.append(sign(")"));
  return groups;
}

function grouped(taps) {
  const rows = new Map();
  for (const tap of taps) rows.set(tap.tap[0], [...(rows.get(tap.tap[0]) ?? []), tap]);
  return rows;
}

function group(...children) {
  return html("span", { class: "arithmetic-group" }, ...children);
}

function sign(text) {
  return html("span", { class: "arithmetic-sign" }, text);
}

function number(value, { win = false, nil = false, sum = false, isAlone = false } = {}) {
  const kinds = [win && "arithmetic-win", nil && "arithmetic-nil", sum && "arithmetic-sum"].filter(Boolean).join(" ");
  return html(
    "span",
    { class: kinds || null, "data-value": exact(value) },
    sum || isAlone ? term(value) : factor(value),
  );
}

function product({ value, weight, term: both }) {
  const kind = both === 0 ? "arithmetic-nil" : weight > 0 ? "arithmetic-plus" : "arithmetic-minus";
  return html(
    "span",
    { class: both === 0 ? "arithmetic-nil" : null },
    `${factor(value)}×`,
    html("b", { class: kind }, factor(weight)),
  );
}

function more(rest, sum) {
  return group(sign("+"), number(sum), html("span", {}, `(${say("arithmetic.more", { n: rest.length })})`));
}

function result({ own, recorded }, phase, equal) {
  if (phase < 2) return [];
  return [
    sign(equal),
    html(
      "b",
      { class: "arithmetic-result", "data-value": exact(recorded), "data-own": own, "data-recorded": exact(recorded) },
      term(recorded),
    ),
  ];
}

/** The step as a sentence. */
export function sentence(trace, now) {
  const at = say("arithmetic.at", { row: now.row + 1, column: now.column + 1 });
  return [at, ...said[trace.kind](now, trace)].join(" ");
}

/** Of a window that ceil_mode lets hang over the edge, how much of it is not there. */
function cut({ taps }, { layer, axes }) {
  const all = axes[0].taps * axes[1].taps,
    n = all - taps.length;
  return slides(layer) && n > 0 ? [say("arithmetic.cut", { n, all })] : [];
}

const said = { max: saidMax, mean: saidMean, conv: saidProducts, upconv: saidProducts };

function saidMax(now, trace) {
  const { taps, winner, recorded, ties } = now;
  if (!winner) return [say("arithmetic.empty"), ...cut(now, trace)];
  const more = Number.isNaN(winner.value) ? [say("arithmetic.nan")] : ties > 1 ? [say("arithmetic.tie")] : [];
  return [say("arithmetic.max", { n: taps.length, value: term(recorded) }), ...more, ...cut(now, trace)];
}

function saidMean(now, trace) {
  const { taps, sum, count } = now,
    { layer } = trace;
  const isPadded = taps.some(tap => tap.source === null),
    isCounted = layer.count_include_pad ?? true;
  const padding = isPadded ? [say(isCounted ? "arithmetic.counted" : "arithmetic.uncounted")] : [];
  return [say("arithmetic.mean", { n: count, sum: term(sum) }), ...padding, ...cut(now, trace)];
}

function saidProducts({ taps, sums, bias }) {
  if (taps.length === 0) return [say("arithmetic.nothing")];
  const kinds = sums.length > 1 ? ["unbiased", "channels"] : ["plain", "conv"];
  const one = taps.length === 1 ? "1" : "";
  return [say(`arithmetic.${kinds[bias === null ? 0 : 1]}${one}`, { n: taps.length, channels: sums.length })];
}

/** Where the gradient of this output goes. */
export function gradient(trace, { winner, count, taps }) {
  if (trace.kind === "mean") return say("arithmetic.toMean", { n: count });
  if (trace.weighted) return say(taps.length ? "arithmetic.toConv" : "arithmetic.toNone");
  return winner
    ? say("arithmetic.toMax", { row: winner.row + 1, column: winner.column + 1 })
    : say("arithmetic.toNone");
}

/** What to say where this page's own result is not the recorded one; "" where it is. */
export function difference(now) {
  return differs(now) ? say("arithmetic.differs", { own: exact(now.own), recorded: exact(now.recorded) }) : "";
}

function total(values) {
  return values.reduce((sum, value) => sum + value, 0);
}
