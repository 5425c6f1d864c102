// The network from left to right: a column a block, its maps in three rows, what it takes drawn to it.

import { lanes } from "fieldstone/columns";
import { drawLinks } from "fieldstone/connections";
import { html } from "fieldstone/elements";
import { foot, head, mapsOf } from "fieldstone/entry";
import { count, isVector } from "fieldstone/maps";
import { picture } from "fieldstone/picture";

const pitch = 48, rows = 3, gap = 20, bar = 64, ends = 144 + 172 + gap + 50, lane = 22;

/** Draw the strip into `root`; returns what shows the maps that a chosen one reads, and `close`. */
export function strip(root, { store, maps, shown, answer, state, redraw }) {
  const beside = most(shown, root.clientWidth), across = block => (isVector(block) ? 1 : beside);
  const items = shown.map((entry, place) => column(entry, place));
  const first = html("li", { class: "strip-end strip-image", "data-place": -1 }, html("div", { class: "strip-maps" },
    picture(store.payload)), foot({ output_shape: store.shape("input") }));
  const last = html("li", { class: "strip-end strip-answer", "data-place": shown.length }, answer);
  const list = html("ol", { class: "strip-row", style: `--lanes: ${height(shown)}px; --head: ${headHeight(shown)}px` }, first, ...items, last);
  const box = html("div", { class: "strip" }, list);
  root.append(box);
  const draw = () => drawLinks(list, store, shown, state.chosen);
  const sized = new ResizeObserver(draw);
  sized.observe(list);
  return { choose: draw, close: () => sized.disconnect() };

  function column(entry, place) {
    const width = entry.isOpen ? 0 : Math.min(across(entry.block), Math.ceil(count(entry.block) / rows));
    const isWide = !entry.isOpen && state.wide.has(entry.block.path);
    return html("li", { class: entry.isOpen ? "strip-column strip-open" : "strip-column", "data-place": place },
      head(entry, state, redraw),
      entry.isOpen ? null : html("div", { class: isWide ? "strip-maps strip-wide" : "strip-maps",
        style: `--across: ${isWide ? 8 : Math.max(1, width)}` },
      mapsOf(entry.block, rows * width, { store, maps, state, turned: redraw })),
      entry.isOpen ? null : foot(entry.block));
  }
}

/** How many maps stand side by side: as many as let all columns be seen at once, else two. */
function most(shown, width) {
  const wide = across => shown.reduce((sum, { block }) => sum + gap + (block
    ? isVector(block) ? bar : pitch * Math.max(2, Math.min(across, Math.ceil(count(block) / rows))) : 40), ends);
  return [4, 3].find(across => wide(across) <= width) ?? 2;
}

/** The room for the names above the maps: a folded stage says how it is made. */
function headHeight(shown) {
  return shown.some(({ blocks, isOpen }) => blocks && !isOpen) ? 80 : 40;
}

/** The room for the lanes and the word on the topmost. */
function height(shown) {
  const levels = lanes(shown).map(([, , level]) => level + 1);
  return levels.length ? lane * Math.max(...levels) + 6 : 0;
}
