// The overview: the whole network with this image's maps, and the story of the value that a person points at.

import { bars } from "fieldstone/classes";
import { columns } from "fieldstone/columns";
import { html } from "fieldstone/elements";
import { list } from "fieldstone/list";
import { Maps, held, known, isVector, plane } from "fieldstone/maps";
import { Marks } from "fieldstone/marks";
import { picture } from "fieldstone/picture";
import { cellAt, moved } from "fieldstone/pointing";
import { tell } from "fieldstone/readout";
import { strip } from "fieldstone/strip";
import { addWords, say } from "fieldstone/words";

addWords({
  "overview.network": ["The network", "신경망"],
});

const mostColumns = 12, mostInStrip = 40, narrow = 720, atOnce = 8;
const state = { open: new Set(), wide: new Set(), chosen: undefined }; // outlives a change of language or width

/** Draw the overview. */
export function view(root, store) {
  const readout = html("p", { class: "readout", "aria-live": "polite" });
  const stage = html("div", { class: "overview-stage", role: "group", "aria-label": say("overview.network") });
  const foot = html("div", { class: "overview-foot" }, picture(store.payload), readout);
  const overview = html("section", { class: "overview card" }, stage, foot);
  root.append(overview);
  const marks = new Marks(overview, store);
  let maps, shown, entries, isNarrow;

  function draw() {
    isNarrow = root.clientWidth < narrow;
    const isList = isNarrow || store.blocks.length > mostInStrip;
    overview.classList.toggle("overview-rows", isList);
    maps = new Maps(store);
    const body = isList ? framed() : stage;
    entries = columns(store, isNarrow ? mostInStrip : mostColumns, state.open);
    shown = (isList ? list : strip)(body, { store, maps, shown: entries, state, redraw, came: () => marks.refresh() });
    marks.show(state.chosen ?? null);
  }

  function framed() {
    const body = html("div", { class: "overview-list" });
    stage.append(html("div", { class: "overview-ends" }, picture(store.payload), bars(store.payload, 5)), body);
    return body;
  }

  function clear() {
    shown.close();
    maps.close();
    stage.replaceChildren();
  }

  function redraw(focus) {
    const left = stage.querySelector(".strip")?.scrollLeft;
    clear();
    draw();
    if (left !== undefined) stage.querySelector(".strip").scrollLeft = left;
    stage.querySelector(focus)?.focus();
  }

  function point(cell, isSaid) {
    const part = marks.show(cell);
    tell(readout, store, cell, part, isSaid);
  }

  function choose(cell) {
    state.chosen = cell;
    point(cell, true);
    shown.choose();
  }

  let frame = 0;
  const passed = cell => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => point(cell, false));
  };
  stage.addEventListener("pointermove", event => {
    const map = event.target.closest(".maps-map");
    if (map && event.pointerType === "mouse") passed(cellAt(map, store, event));
  });
  stage.addEventListener("pointerleave", () => passed(state.chosen ?? null));
  stage.addEventListener("click", event => {
    const map = event.target.closest(".maps-map");
    if (map) { choose(cellAt(map, store, event)); map.focus() }
  });
  stage.addEventListener("dblclick", event => {
    const map = event.target.closest(".maps-map");
    if (map) location.hash = `#/block/${map.dataset.path}`;
  });
  stage.addEventListener("keydown", event => {
    const map = event.target.closest(".maps-map");
    if (!map || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = moved(map, store, state.chosen, event.key);
    if (!to) return;
    event.preventDefault();
    to.map?.focus();
    if (to.open) location.hash = `#/block/${map.dataset.path}`;
    else choose(to.cell);
  });
  stage.addEventListener("focusin", event => roved(event.target.closest(".maps-map")));
  const sized = new ResizeObserver(() => { if (root.clientWidth < narrow !== isNarrow) redraw() });
  draw();
  sized.observe(root);
  if (state.chosen === undefined) telling(store, entries).then(cell => { if (!state.chosen && cell) choose(cell) });
  else point(state.chosen, false);
  return { close() { cancelAnimationFrame(frame); sized.disconnect(); clear() } };
}

/** One tab stop a block: the map that had the focus last. */
function roved(map) {
  if (!map) return;
  for (const other of map.parentElement.querySelectorAll(".maps-map")) other.tabIndex = other === map ? 0 : -1;
}

/** The cell to begin with: of the last maps that do not see the whole image the first, the largest value amid it. */
async function telling(store, shown) {
  const { width, height } = store.payload.image;
  const isLocal = block => block.sees?.[0] < height && block.sees[1] < width;
  const isTelling = ({ block, isOpen }) => !isOpen && !isVector(block) && isLocal(block) && held(store, block) > 0;
  const local = shown.slice(0, atOnce).filter(isTelling);
  const entry = local.findLast(({ block }) => block.layer.type === "conv") ?? local.at(-1);
  if (!entry) return null;
  const part = plane(await known(store, entry.block.path), entry.block, 0), at = amid(part);
  const [row, column] = [Math.floor(at / part.width), at % part.width].map(place => place * part.step);
  return { path: entry.block.path, channel: 0, row, column };
}

/** Where the largest value of the middle half of a map is. */
function amid({ values, height, width }) {
  const isMiddle = (place, size) => place >= Math.floor(size / 4) && place <= Math.floor((3 * size) / 4);
  let best = Math.floor(height / 2) * width + Math.floor(width / 2);
  values.forEach((value, at) => {
    if (isMiddle(Math.floor(at / width), height) && isMiddle(at % width, width) && value > values[best]) best = at;
  });
  return best;
}
