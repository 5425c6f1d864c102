// What a block shows wherever it stands: its name, its maps, its shape and what it sees.

import { button, html } from "fieldstone/elements";
import { count, held } from "fieldstone/maps";
import { times } from "fieldstone/numbers";
import { addWords, say } from "fieldstone/words";

addWords({
  "entry.sees": ["sees {size}", "수용 영역 {size}"],
  "entry.all": ["sees all", "수용 영역 전체"],
  "entry.stage": ["stage {stage}", "단계 {stage}"],
  "entry.branches": ["branches {stage}", "갈래 {stage}"],
  "entry.residual": ["residual {stage}", "잔차 {stage}"],
  "entry.concat": ["{paths} paths, joined by concat", "경로 {paths}개, 이어 붙임(concat)"],
  "entry.add": ["{paths} paths, joined by add", "경로 {paths}개, 더함(add)"],
  "entry.multiply": ["{paths} paths, joined by multiply", "경로 {paths}개, 곱함(multiply)"],
  "entry.past": ["its input is added", "입력을 더함"],
  "entry.shortcut": ["a shortcut is added", "지름길을 더함"],
  "entry.blocks": ["{count} blocks", "블록 {count}개"],
  "entry.open": ["Show the blocks inside", "안의 블록 보기"],
  "entry.fold": ["Fold the blocks inside", "안의 블록 접기"],
  "entry.maps": ["Maps of {block}", "{block}의 특징 맵"],
  "entry.left": ["{count} not in this file", "{count}개는 이 파일에 없음"],
  "entry.rest": ["Show {count} more maps of {block}", "{block}의 특징 맵 {count}개 더 보기"],
  "entry.fewer": ["fewer", "줄이기"],
});

/** The name of a block, which leads to its view; of a stage, what opens or folds it. */
export function head(entry, state, redraw) {
  if (!entry.blocks) return html("div", { class: "entry-head" }, link(entry.block));
  const { stage, first, blocks, isOpen } = entry;
  const turned = () => {
    state.open.has(first) ? state.open.delete(first) : state.open.add(first);
    redraw(`[data-stage="${CSS.escape(first)}"]`);
  };
  const { name, made } = toldOf(blocks);
  const turn = button(say(`entry.${name}`, { stage }), turned, { class: "entry-stage", "data-stage": first,
    "aria-expanded": String(Boolean(isOpen)), title: say(isOpen ? "entry.fold" : "entry.open") });
  return html("div", { class: "entry-head" }, turn, html("span", { class: "entry-count" }, made));
}

/** What a stage is: its name, a word, and how it is made of its blocks. */
function toldOf(blocks) {
  const { keyword, layer, path, sources } = blocks.at(-1);
  if (path !== blocks[0].stage) return { name: "stage", made: say("entry.blocks", { count: blocks.length }) };
  if (keyword !== "residual") return { name: "branches", made: say(`entry.${layer.type}`, { paths: sources.length }) };
  const isInside = blocks.some(block => block.path === sources.at(-1));
  return { name: "residual", made: say(isInside ? "entry.shortcut" : "entry.past") };
}

export function link(block) {
  return html("a", { href: `#/block/${block.path}`, class: "entry-link", title: `${block.path}  ${block.notation}` },
    html("code", {}, block.notation));
}

/**
 * The first maps of a block; a button shows the rest of them, a note says how many this file has not.
 *
 * @param {function(string)} turned is told, once there are to be more or fewer, what then has the focus.
 */
export function mapsOf(block, most, { store, maps, state, turned }) {
  const there = held(store, block), isWide = state.wide.has(block.path);
  const number = isWide ? there : Math.min(there, most);
  const shown = Array.from({ length: number }, (_, channel) => maps.element(block, channel));
  if (shown.length) shown[0].tabIndex = 0;
  const turn = () => {
    isWide ? state.wide.delete(block.path) : state.wide.add(block.path);
    turned(`[data-more="${CSS.escape(block.path)}"]`);
  };
  const more = isWide || number < there ? moreButton(block, there - number, isWide, turn) : null;
  return html("div", { class: "maps-group", role: "group", "aria-label": say("entry.maps", { block: block.notation }) },
    ...shown, more, leftOut(store, block, there));
}

function moreButton(block, rest, isWide, turn) {
  const label = isWide ? null : say("entry.rest", { count: rest, block: block.notation });
  return button(isWide ? say("entry.fewer") : `+${rest}`, turn,
    { class: "entry-more", "data-more": block.path, "aria-expanded": String(isWide), "aria-label": label });
}

function leftOut(store, block, there) {
  if (there === count(block)) return null;
  return html("span", { class: "entry-left" }, say("entry.left", { count: count(block) - there }));
}

/** The shape that leaves, and what one value of it sees of the image. */
export function foot(block) {
  return html("div", { class: "entry-foot" }, html("code", {}, times(block.output_shape)),
    html("span", { class: "entry-sees" }, sees(block)));
}

export function sees(block) {
  if (block.sees_all) return say("entry.all");
  if (!block.sees) return "";
  return say("entry.sees", { size: new Set(block.sees).size === 1 ? block.sees[0] : times(block.sees) });
}
