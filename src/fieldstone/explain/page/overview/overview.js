// The overview: the whole network with this image's maps, and the story of the value that a person points at.

import { bars } from "fieldstone/classes";
import { columns } from "fieldstone/columns";
import { html } from "fieldstone/elements";
import { list } from "fieldstone/list";
import { Maps } from "fieldstone/maps";
import { Marks } from "fieldstone/marks";
import { PixelAnswer } from "fieldstone/pixels";
import { picture } from "fieldstone/picture";
import { cellAt, moved } from "fieldstone/pointing";
import { tell } from "fieldstone/readout";
import { strip } from "fieldstone/strip";
import { telling } from "fieldstone/telling";
import { addWords, say } from "fieldstone/words";

addWords({
  "overview.network": ["The network", "신경망"],
  "overview.hint": ["Point at any cell. A click keeps it, a double click opens its layer.",
    "아무 칸이나 가리켜 보세요. 클릭하면 고정되고, 두 번 클릭하면 층이 열립니다."],
});

const mostColumns = 12, mostInStrip = 40, narrow = 720, classes = 5;
const state = { open: new Set(), wide: new Set(), chosen: null }; // outlives a change of language or width

/** Draw the overview. */
export function view(root, store) {
  return new Overview(root, store);
}

class Overview {
  #frame = 0;
  #isClosed = false;

  constructor(root, store) {
    Object.assign(this, { root, store });
    this.stage = html("div", { class: "overview-stage", role: "group", "aria-label": say("overview.network") });
    this.readout = html("p", { class: "readout", "aria-live": "polite" });
    const hint = html("p", { class: "overview-hint" }, say("overview.hint"));
    const foot = html("div", { class: "overview-foot" }, picture(store.payload), this.readout, hint);
    this.card = html("section", { class: "overview card" }, this.stage, foot);
    root.append(this.card);
    this.marks = new Marks(this.card, store);
    this.#listen();
    this.#draw();
    this.sized = new ResizeObserver(() => { if (this.#isNarrow() !== this.isNarrow) this.#redraw() });
    this.sized.observe(root);
    this.ready = this.#begin(); // a promise of the first story
  }

  close() {
    this.#isClosed = true;
    cancelAnimationFrame(this.#frame);
    this.sized.disconnect();
    this.#clear();
  }

  #isNarrow() {
    return this.root.clientWidth < narrow;
  }

  /** Beside one another, or one under the other where there is no room or there are too many. */
  #draw() {
    const { store } = this, redraw = focus => this.#redraw(focus), came = () => this.marks.refresh();
    this.isNarrow = this.#isNarrow();
    const isList = this.isNarrow || store.blocks.length > mostInStrip;
    this.card.classList.toggle("overview-rows", isList);
    this.maps = new Maps(store);
    this.entries = columns(store, this.isNarrow ? mostInStrip : mostColumns, state.open);
    this.answer = this.#answer();
    const { answer: { element: answer } } = this;
    const parts = { store, maps: this.maps, shown: this.entries, answer, state, redraw, came };
    this.shown = isList ? list(this.#framed(), parts) : strip(this.stage, parts);
    this.marks.show(state.chosen);
  }

  #framed() {
    const body = html("div", { class: "overview-list" }), { payload } = this.store;
    this.stage.append(html("div", { class: "overview-ends" }, picture(payload), this.answer.element), body);
    return body;
  }

  /** The classes and their probabilities: of all the image, or of a pixel. */
  #answer() {
    const { payload } = this.store, { map } = payload.outputs;
    if (!map) return { element: bars(payload, classes), show() {}, close() {} };
    return new PixelAnswer(this.store, classes, (cell, channel) => {
      if (map.block !== null) this.#choose({ path: map.block, channel, ...cell });
    });
  }

  #clear() {
    this.shown.close();
    this.maps.close();
    this.answer.close();
    this.stage.replaceChildren();
  }

  #redraw(focus) {
    const left = this.stage.querySelector(".strip")?.scrollLeft ?? 0;
    this.#clear();
    this.#draw();
    this.stage.querySelector(".strip")?.scrollTo({ left });
    if (focus) this.stage.querySelector(focus)?.focus();
  }

  async #begin() {
    if (state.chosen && !this.store.block(state.chosen.path)) state.chosen = null;
    this.#point(state.chosen, false);
    if (state.chosen) return;
    const cell = await telling(this.store, this.entries);
    const isAnswer = cell?.path === this.store.payload.outputs.map?.block; // then of the pixel that it tells of
    if (cell && !state.chosen && !this.#isClosed) this.#choose(isAnswer ? { ...cell, ...this.answer.chosen } : cell);
  }

  #point(cell, isSaid) {
    tell(this.readout, this.store, cell, this.marks.show(cell), isSaid);
    const answer = this.store.payload.outputs.map?.block;
    this.answer.show([cell, state.chosen].find(one => one && one.path === answer) ?? null);
  }

  /** Once a frame, however often the pointer moves. */
  #pass(cell) {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#point(cell, false));
  }

  #choose(cell) {
    state.chosen = cell;
    this.#point(cell, true);
    this.shown.choose();
  }

  #listen() {
    const onMaps = (kind, does) => this.stage.addEventListener(kind, event => {
      const map = event.target.closest(".maps-map");
      if (map) does(map, event);
    });
    onMaps("pointermove", (map, event) => {
      if (event.pointerType === "mouse") this.#pass(cellAt(map, this.store, event));
    });
    this.stage.addEventListener("pointerleave", () => this.#pass(state.chosen));
    onMaps("click", (map, event) => {
      this.#choose(cellAt(map, this.store, event));
      map.focus();
    });
    onMaps("dblclick", opened);
    onMaps("keydown", (map, event) => this.#press(map, event));
    onMaps("focusin", roved);
  }

  #press(map, event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = moved(map, this.store, state.chosen, event.key);
    if (!to) return;
    event.preventDefault();
    if (to.open) return opened(map);
    to.map?.focus();
    this.#choose(to.cell);
  }
}

function opened(map) {
  location.hash = `#/block/${map.dataset.path}`;
}

/** One tab stop a block: the map that had the focus last. */
function roved(map) {
  for (const other of map.parentElement.querySelectorAll(".maps-map")) other.tabIndex = other === map ? 0 : -1;
}
