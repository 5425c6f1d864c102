// The sheet that a layer is explained on: head, stage, sentence, arithmetic, steps and boxes beside it.

import { html } from "fieldstone/elements";
import { equals, exact, factor, term, times } from "fieldstone/numbers";
import { Transport } from "fieldstone/transport";
import { addWords, say } from "fieldstone/words";

addWords({
  "sheet.left_out": [
    "{what}: {size}, not in this file. The live page (fieldstone explore, without -o) shows it.",
    "{what}: {size}, 이 파일에 없음. -o 없이 fieldstone explore로 연 페이지에서 볼 수 있습니다.",
  ],
  "sheet.loading": ["Loading …", "불러오는 중 …"],
  "sheet.fault": ["The numbers of this layer did not arrive: {reason}", "이 층의 수를 받지 못했습니다: {reason}"],
  "sheet.map_of": ["The map of {path}", "{path}의 맵"],
});

const LEAST = 240; // pixels; a sheet that is not laid out yet has none

/**
 * The view of a block: its head at once, the rest when what it needs is there, again when width or theme change.
 *
 * @param {string} title of the sheet.
 * @param {Promise[]} needed what `draw` shows.
 * @param {(on: object, ...found) => void} draw fills the sheet {stage, sentence, arithmetic, note, aside, width(),
 *   box(title, ...children)}: elements, the stage's width in pixels, and a way to add a box beside.
 * @param {boolean} alone without boxes beside.
 * @returns {{close()}}
 */
export function sheetView(root, block, title, needed, draw, alone = false) {
  const view = html(
    "section",
    { class: "sheet-view card", tabindex: -1, "aria-labelledby": "sheet-title", "aria-busy": "true" },
    waiting(),
  );
  const aside = html("div", { class: "sheet-aside" });
  const place = html("div", { class: alone ? "sheet sheet-alone" : "sheet" }, head(block, title), view, aside);
  let drawing = null,
    closed = false,
    on = null;
  root.append(place);
  view.addEventListener("keydown", event => on?.transport && pressed(event, on.transport));
  const show = found => {
    if (closed) return;
    drawing = redrawing(place, () => {
      on?.transport?.close();
      on = parts(place, view, aside);
      draw(on, ...found);
    });
  };
  Promise.all(needed)
    .finally(() => view.removeAttribute("aria-busy"))
    .then(show, fault => view.replaceChildren(notArrived(fault)));
  return {
    close: () => {
      closed = true;
      drawing?.close();
      on?.transport?.close();
    },
  };
}

function parts(place, root, aside) {
  const stage = html("div", { class: "sheet-stage" });
  const arithmetic = html("div", { class: "arithmetic" });
  const sentence = html("p", { class: "sheet-sentence", "aria-live": "polite" });
  const note = html("p", { class: "sheet-note" });
  root.replaceChildren(stage, html("div", { class: "sheet-read" }, sentence, arithmetic, note));
  aside.replaceChildren();
  const width = () => Math.max(LEAST, stage.clientWidth - parseFloat(getComputedStyle(stage).paddingLeft) * 2);
  const box = (name, ...children) =>
    aside.append(html("section", { class: "sheet-box card" }, html("h2", {}, name), ...children));
  return { place, root, stage, sentence, arithmetic, note, aside, width, box, transport: null };
}

function head(block, title) {
  const shapes = `${times(block.input_shape)} → ${times(block.output_shape)}`;
  return html(
    "div",
    { class: "sheet-head" },
    html("h1", { id: "sheet-title" }, title),
    html("p", {}, html("code", {}, block.notation), html("code", {}, shapes)),
  );
}

/** Until what is asked for is there. */
export function waiting() {
  return html("p", { class: "sheet-wait" }, say("sheet.loading"));
}

/** Instead of what is asked for: why it did not come. */
export function notArrived({ message }) {
  return html("p", { class: "sheet-missing", role: "alert" }, say("sheet.fault", { reason: message }));
}

/** Instead of the stage: an array that this file has not. */
export function leftOut(store, name, what) {
  return html("p", { class: "sheet-missing" }, say("sheet.left_out", { what, size: store.about(name).left_out }));
}

/** The same of the map of a path: where it follows value by value from others, of the one that is stored. */
export function mapLeftOut(store, path) {
  const block = store.block(path) ?? { output: store.payload.input.array };
  if (block.output === null) return mapLeftOut(store, block.sources[0]);
  return leftOut(store, block.output, say("sheet.map_of", { path }));
}

/**
 * Steps through `total` cells, by hand or playing, at the foot of the sheet.
 *
 * @param {(step: number) => void} go is called with the step that is shown next.
 * @returns {{show(step: number)}} `show` writes where it stands, once the sheet shows it.
 */
export function steps(on, total, go) {
  const state = { step: 0, speed: 1 };
  let turns = false;
  const painted = phase => {
    if (phase < 2) return;
    turns = true;
    go(state.step);
    turns = false;
  };
  const transport = new Transport(state, total, {
    moved: () => null,
    placed: () => {},
    painted,
    ended: () => show(state.step),
  });
  on.transport = transport;
  on.root.append(transport.element);
  function show(step) {
    if (!turns) pause(transport);
    state.step = step;
    Object.assign(on.root.dataset, { step, steps: total });
    on.sentence.setAttribute("aria-live", transport.isPlaying ? "off" : "polite");
    transport.write(on.sentence.textContent);
  }
  return { show };
}

/** Another cell was chosen: what was to come is taken back. */
function pause(transport) {
  transport.close();
  transport.isPlaying = false;
}

function pressed(event, transport) {
  if (event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  const { state, steps: total } = transport;
  const by = { ArrowLeft: state.step - 1, ArrowRight: state.step + 1, Home: 0, End: total - 1 }[event.key];
  if (by !== undefined) transport.go(by);
  else if (event.key === " " && !event.target.matches("button")) transport.toggle();
  else if (event.key === "+") transport.faster(1);
  else if (event.key === "-" || event.key === "−") transport.faster(-1);
  else return;
  event.preventDefault();
}

/** Pieces of a line of arithmetic; groups do not break. */
export const line = {
  group: (...children) => html("span", { class: "arithmetic-group" }, ...children),
  sign: text => html("span", { class: "arithmetic-sign" }, text),
  word: text => html("b", {}, text),
  value: value => html("span", { "data-value": exact(value) }, factor(value)),
  first: value => html("span", { "data-value": exact(value) }, term(value)),
  weight: value => html("b", { class: `arithmetic-${signOf(value)}`, "data-value": exact(value) }, factor(value)),
  result: (own, recorded) =>
    html("b", { class: "arithmetic-result", "data-own": exact(own), "data-recorded": exact(recorded) }, term(recorded)),
  equals: (products, recorded) => html("span", { class: "arithmetic-sign" }, equals(products, recorded)),
};

const signOf = value => (value < 0 ? "minus" : value > 0 ? "plus" : "nil");

/** A list of names and values, for a box. */
export function facts(...pairs) {
  return html("dl", {}, ...pairs.flatMap(([name, value]) => [html("dt", {}, name), html("dd", {}, value)]));
}

/** A bar of a share −1..1 of its width. */
export function bar(share) {
  const width = Number.isFinite(share) ? Math.min(1, Math.abs(share)) * 100 : 0;
  return html(
    "span",
    { class: `sheet-bar ${share < 0 ? "sheet-bar-minus" : "sheet-bar-plus"}`, "aria-hidden": "true" },
    html("span", { style: `width:${width.toFixed(2)}%` }),
  );
}

const kept = new Map();

/** What a view keeps between two drawings: the chosen cell of a block, by its path. */
export function keep(path, first) {
  if (!kept.has(path)) kept.set(path, first());
  return kept.get(path);
}

/** Draws now, and again whenever the width of `root` or the theme changes; `close` ends it. */
export function redrawing(root, draw) {
  let width = root.clientWidth;
  const observer = new ResizeObserver(() => {
    if (root.clientWidth !== width) {
      width = root.clientWidth;
      draw();
    }
  });
  observer.observe(root);
  document.addEventListener("themechange", draw);
  draw();
  return {
    close: () => {
      observer.disconnect();
      document.removeEventListener("themechange", draw);
    },
  };
}
