// The network from top to bottom: a row a block, stages folded, what passes others by drawn in a gutter on the left.

import { isNext, lanes, links } from "fieldstone/columns";
import { html } from "fieldstone/elements";
import { foot, head, mapsOf } from "fieldstone/entry";
import { count, held } from "fieldstone/maps";

const pitch = 48, narrow = 56, wide = 192; // pixels: of a map, of the button after them, of that and what is left out

/** Draw the list into `root`; calls `came` when maps came into it; returns what shows a chosen map, and `close`. */
export function list(root, { store, maps, shown, state, redraw, came }) {
  const passing = lanes(shown), next = new Set(links(shown).filter(link => isNext(shown, link)).map(([, to]) => to));
  const deep = Math.max(0, ...passing.map(([, , lane]) => lane + 1));
  const rows = shown.map((entry, place) => html("li", { class: rowClass(entry), "data-place": place },
    gutter(place, passing, next.has(place), entry.isOpen), name(entry, state, redraw),
    html("div", { class: "list-maps" })));
  const filled = new IntersectionObserver(found => found.forEach(fill), { rootMargin: "400px" });
  rows.forEach(row => filled.observe(row));
  root.append(html("ol", { class: "list", style: `--lanes: ${deep}` }, ...rows));
  return { choose: () => {}, close: () => filled.disconnect() };

  function fill({ isIntersecting, target }) {
    const { block, isOpen } = shown[target.dataset.place];
    if (!isIntersecting || isOpen) return;
    filled.unobserve(target);
    const box = target.querySelector(".list-maps"), note = held(store, block) < count(block) ? wide : narrow;
    const fit = Math.max(2, Math.floor((box.clientWidth - note) / pitch));
    const turned = focus => {
      box.replaceChildren(mapsOf(block, fit, { store, maps, state, turned }));
      if (focus) box.querySelector(focus).focus();
      came();
    };
    turned();
  }
}

const rowClass = ({ isOpen, isInner }) => `list-row${isOpen ? " list-open" : ""}${isInner ? " list-inner" : ""}`;

function name(entry, state, redraw) {
  return html("div", { class: "list-name" }, head(entry, state, redraw), entry.isOpen ? null : foot(entry.block));
}

/** The lines on the left of one row: the way from the row above, and a lane for each link that passes or ends here. */
function gutter(place, passing, isJoined, isOpen) {
  const part = (kind, lane) => html("i", { class: `list-${kind}`, style: `--lane: ${lane}` });
  const lines = passing.flatMap(([from, to, lane]) => [
    from < place && place < to ? part("pass", lane) : null,
    from === place ? part("leave", lane) : null,
    to === place ? part("join", lane) : null,
  ]);
  return html("div", { class: "list-gutter", "aria-hidden": "true" }, ...lines,
    isJoined ? html("i", { class: "list-next" }) : null, html("i", { class: isOpen ? "list-through" : "list-dot" }));
}
