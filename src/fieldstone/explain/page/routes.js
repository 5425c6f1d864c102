// What each address shows: `#/`, `#/block/PATH`, `#/why`, `#/filters`.

import { html } from "fieldstone/elements";
import { count, times } from "fieldstone/numbers";
import { addWords, say } from "fieldstone/words";

addWords({
  "routes.overview": ["Overview", "전체 보기"],
  "routes.why": ["Why this answer", "이 답의 이유"],
  "routes.filters": ["Filters", "필터"],
  "routes.views": ["Views", "보기"],
  "routes.untrained": ["untrained", "학습 전"],
  "routes.file": ["This file holds one image. The page that fieldstone explore opens without -o takes others.",
    "이 파일에는 이미지가 하나뿐입니다. -o 없이 fieldstone explore로 연 페이지에서는 다른 이미지도 볼 수 있습니다."],
  "routes.note_untrained": ["its weights are the first ones, from seed 0: it has learned nothing",
    "가중치가 시드 0의 초깃값입니다. 아직 아무것도 배우지 않았습니다."],
  "routes.note_as_made": [
    "its weights are as its factory made them; images are given to it with mean 0.5 and deviation 0.25",
    "가중치는 만들어진 그대로이며, 이미지는 평균 0.5, 표준편차 0.25로 정규화해 넣습니다."],
  "routes.note_left_out": ["this file holds {kept} of {all} arrays, the smallest first: the live page has them all",
    "이 파일에는 배열 {all}개 중 작은 것부터 {kept}개만 있습니다. -o 없이 fieldstone explore로 연 페이지에는 모두 있습니다."],
  "routes.params": ["{count} parameters", "파라미터 {count}개"],
  "routes.blocks": ["{count} blocks", "블록 {count}개"],
  "routes.around": ["Blocks before and after", "앞뒤 블록"],
  "routes.before": ["Block before: {block}", "앞 블록: {block}"],
  "routes.after": ["Block after: {block}", "뒤 블록: {block}"],
});

const views = { why: () => import("fieldstone/why"), filters: () => import("fieldstone/filters") };
const step = () => import("fieldstone/step"), dense = () => import("fieldstone/dense");
const sliding = {
  conv: step, upconv: step, maxpool: step, avgpool: step, globalavgpool: step, globalmaxpool: step,
  adaptiveavgpool: step, adaptivemaxpool: step,
};

/** The view of an address: {module, block, above, body, crumbs, title}; of one that means nothing, the overview. */
export function routed(store, hash) {
  const [, name, path] = /^#\/(\w*)\/?(.*)$/.exec(hash) ?? [], block = name === "block" ? store.block(path) : null;
  const body = html("div", { class: "body" }), { title, trained } = store.payload;
  const called = trained ? title : `${title} (${say("routes.untrained")})`;
  if (block)
    return { name: path, module: sliding[block.layer.type] ?? dense, block, body, above: () => [around(store, block)],
      title: `${block.notation} · ${called}`, crumbs: [{ text: say("routes.overview"), href: "#/" }, { text: title }] };
  const place = name in views ? name : "overview", own = say(`routes.${place}`);
  return { name: place, module: views[place] ?? (() => import("fieldstone/overview")), block: null, body, title: called,
    above: () => [head(store, place), notes(store)], crumbs: place === "overview" ? [{ text: title }]
      : [{ text: say("routes.overview"), href: "#/" }, { text: own }] };
}

function head(store, place) {
  const { model, image, input, trained } = store.payload;
  const badge = trained ? null : html("span", { class: "badge" }, say("routes.untrained"));
  const facts = [image.name, times(input.shape), say("routes.blocks", { count: count(store.blocks.length) }),
    say("routes.params", { count: count(model.params) })];
  const heading = html("h1", {}, place === "overview" ? model.name : say(`routes.${place}`), badge);
  const sub = html("p", { class: "sub" }, facts.join(" · "));
  return html("div", { class: "head" }, html("div", {}, heading, sub), tabs(place));
}

function tabs(place) {
  const isCurrent = name => (name === place ? "page" : null);
  const link = name => html("a", { href: name === "overview" ? "#/" : `#/${name}`, "aria-current": isCurrent(name) },
    say(`routes.${name}`));
  const names = ["overview", ...Object.keys(views)];
  return html("nav", { class: "seg", "aria-label": say("routes.views") }, ...names.map(link));
}

function notes({ payload }) {
  const known = payload.model.notes.map(({ key, values }) => say(`routes.note_${key}`, values));
  const texts = payload.live ? known : [...known, say("routes.file")];
  return html("ul", { class: "notes", hidden: texts.length === 0 }, ...texts.map(text => html("li", {}, text)));
}

/** The ways to the block before and the block after. */
function around(store, block) {
  const at = store.blocks.indexOf(block);
  return html("nav", { class: "around", "aria-label": say("routes.around") },
    way(store.blocks[at - 1], "before", "prev", words => ["← ", words]),
    way(store.blocks[at + 1], "after", "next", words => [words, " →"]));
}

function way(block, key, rel, arrow) {
  if (!block) return null;
  const name = `${block.path}  ${block.notation}`, label = say(`routes.${key}`, { block: name });
  return html("a", { href: `#/block/${block.path}`, rel, "aria-label": label }, ...arrow(html("code", {}, name)));
}
