// The sheet that a layer is explained on: head, stage, sentence, arithmetic, steps and boxes beside it.

import { button, html } from "fieldstone/elements";
import { svg } from "fieldstone/grid";
import { equals, exact, factor, term, times } from "fieldstone/numbers";
import { addWords, say } from "fieldstone/words";

addWords({
  "sheet.step": ["Step", "단계"],
  "sheet.first": ["First", "처음"],
  "sheet.previous": ["Previous", "이전"],
  "sheet.next": ["Next", "다음"],
  "sheet.last": ["Last", "마지막"],
  "sheet.left_out": [
    "{what}: {size}, not in this file. The live page (fieldstone explore, without -o) shows it.",
    "{what}: {size}, 이 파일에 없음. -o 없이 fieldstone explore로 연 페이지에서 볼 수 있습니다.",
  ],
  "sheet.map_of": ["The map of {path}", "{path}의 맵"],
  "sheet.weights": ["The weights of this layer", "이 층의 가중치"],
  "sheet.differs": [
    "This page's own sum is {own}; the network recorded {recorded}.",
    "이 페이지의 계산: {own}, 네트워크의 기록: {recorded}",
  ],
});

/**
 * The view of a block: its head at once, the rest when what it needs is there, again when width or theme change.
 *
 * @param {string} title of the sheet.
 * @param {Promise[]} needed what `draw` shows.
 * @param {(on: object, ...found) => void} draw fills the sheet {root, stage, sentence, arithmetic, note, aside, foot, width(),
 *   box(title, ...children)}: elements, the stage's width in pixels, and a way to add a box beside.
 * @param {boolean} alone without boxes beside.
 * @returns {{close()}}
 */
export function sheetView(root, block, title, needed, draw, alone = false) {
  const place = html("div", { class: alone ? "sheet sheet-alone" : "sheet" }, head(block, title));
  let drawing = null,
    closed = false;
  root.append(place);
  Promise.all(needed).then(found => {
    if (!closed) drawing = redrawing(place, () => draw(parts(place, title), ...found));
  });
  return {
    close: () => {
      closed = true;
      drawing?.close();
    },
  };
}

function parts(place, title) {
  const [stage, arithmetic, foot] = ["stage", "arithmetic", "foot"].map(name =>
    html("div", { class: `sheet-${name}` }),
  );
  const sentence = html("p", { class: "sheet-sentence", "aria-live": "polite" });
  const note = html("p", { class: "sheet-note" });
  const aside = html("div", { class: "sheet-aside" });
  const root = html(
    "section",
    { class: "sheet-view card", "aria-label": title },
    stage,
    html("div", { class: "sheet-read" }, sentence, arithmetic, note),
    foot,
  );
  root.addEventListener("keydown", event => {
    if (event.key === "Escape") location.hash = "#/";
  });
  place.replaceChildren(place.firstChild, root, aside);
  const width = () => stage.clientWidth - parseFloat(getComputedStyle(stage).paddingLeft) * 2;
  const box = (name, ...children) =>
    aside.append(html("section", { class: "sheet-box card" }, html("h2", {}, name), ...children));
  return { place, root, stage, sentence, arithmetic, note, aside, foot, width, box };
}

function head(block, title) {
  const shapes = `${times(block.input_shape)} → ${times(block.output_shape)}`;
  return html(
    "div",
    { class: "sheet-head" },
    html("h1", {}, title),
    html("p", {}, html("code", {}, block.notation), html("code", {}, shapes)),
  );
}

/** Instead of the stage: an array that this file has not. */
export function leftOut(store, name, what) {
  return html("p", { class: "sheet-missing" }, say("sheet.left_out", { what, size: store.about(name).left_out }));
}

/** The same of the map of a path: where it follows value by value from others, of the one that is stored. */
export function mapLeftOut(store, path) {
  const block = store.block(path);
  if (block.output === null) return mapLeftOut(store, block.sources[0]);
  return leftOut(store, block.output, say("sheet.map_of", { path }));
}

/**
 * First, previous, next, last and a scrubber over `total` steps in `parts.foot`.
 *
 * @param {(step: number) => void} go is called with the step that was asked for.
 * @returns {{show(step: number, text: string)}} `show` moves the scrubber; `text` is what it says to a screen reader.
 */
export function steps(parts, total, go) {
  let now = 0;
  const to = step => go(Math.max(0, Math.min(total - 1, step)));
  const buttons = {
    first: arrow("first", "M4 4h2v12H4zM16 4.6v10.8L7.5 10z", () => to(0)),
    previous: arrow("previous", "M14.5 4.2v11.6L5.5 10z", () => to(now - 1)),
    next: arrow("next", "M5.5 4.2v11.6l9-5.8z", () => to(now + 1)),
    last: arrow("last", "M14 4h2v12h-2zM4 4.6v10.8L12.5 10z", () => to(total - 1)),
  };
  const scrubber = html("input", { type: "range", min: 1, max: total, value: 1, "aria-label": say("sheet.step") });
  scrubber.addEventListener("input", () => to(Number(scrubber.value) - 1));
  const count = html("span", { class: "sheet-count" });
  parts.foot.replaceChildren(buttons.first, buttons.previous, buttons.next, buttons.last, scrubber, count);
  parts.root.addEventListener("keydown", event => {
    const step = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: total - 1 }[event.key];
    if (step === undefined || event.target.matches("input,select") || event.ctrlKey || event.metaKey || event.altKey)
      return;
    event.preventDefault();
    to(step);
  });
  function show(step, text) {
    now = step;
    Object.assign(parts.root.dataset, { step, steps: total });
    scrubber.value = step + 1;
    scrubber.style.setProperty("--v", `${total > 1 ? (100 * step) / (total - 1) : 100}%`);
    scrubber.setAttribute("aria-valuetext", `${say("sheet.step")} ${step + 1} / ${total}. ${text}`);
    count.replaceChildren(`${say("sheet.step")} `, html("b", {}, String(step + 1)), ` / ${total}`);
    buttons.first.disabled = buttons.previous.disabled = step === 0;
    buttons.next.disabled = buttons.last.disabled = step === total - 1;
  }
  return { show };
}

function arrow(name, path, does) {
  const icon = svg("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("path", { d: path }));
  return button(icon, does, {
    class: `sheet-${name}`,
    "aria-label": say(`sheet.${name}`),
    title: say(`sheet.${name}`),
  });
}

/** Pieces of a line of arithmetic; groups do not break. */
export const line = {
  group: (...children) => html("span", { class: "sheet-group" }, ...children),
  sign: text => html("span", { class: "sheet-sign" }, text),
  word: text => html("span", { class: "sheet-word" }, text),
  value: value => html("span", { "data-value": exact(value) }, factor(value)),
  first: value => html("span", { "data-value": exact(value) }, term(value)),
  weight: value =>
    html(
      "span",
      {
        class: `sheet-weight ${value < 0 ? "sheet-minus" : value > 0 ? "sheet-plus" : ""}`,
        "data-value": exact(value),
      },
      factor(value),
    ),
  result: (own, recorded) =>
    html("span", { class: "sheet-result", "data-own": exact(own), "data-recorded": exact(recorded) }, term(recorded)),
  equals: (products, recorded) => html("span", { class: "sheet-sign" }, equals(products, recorded)),
};

/** Whether a sum of the page and the recorded value differ by more than rounding; `size` is the sum of the |terms|. */
export function differs(own, recorded, size) {
  if (Object.is(own, recorded) || (Number.isNaN(own) && Number.isNaN(recorded))) return false;
  return !(Math.abs(own - recorded) <= 1e-4 * Math.max(Math.abs(recorded), 1e-3 * size));
}

/** The sentence that says so; empty where they agree. */
export function difference(own, recorded, size) {
  return differs(own, recorded, size) ? say("sheet.differs", { own: exact(own), recorded: exact(recorded) }) : "";
}

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
