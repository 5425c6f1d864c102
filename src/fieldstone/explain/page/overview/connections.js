// Lines of the strip: from each block to the next, arcs over those that are passed by, rays to the chosen map.

import { lanes, links, isNext } from "fieldstone/columns";
import { svg } from "fieldstone/grid";
import { channelsRead } from "fieldstone/story";

const above = 22, joins = { add: "+", multiply: "×", concat: "⊕ concat" };

/** Draw them under the columns of a list. */
export function drawLinks(list, store, shown, chosen) {
  list.querySelector(".strip-links")?.remove();
  const at = list.getBoundingClientRect(), box = element => relative(element, at);
  const toChosen = chosen ? rays(list, store, chosen, box) : [];
  const parts = [...flows(list, shown, box), ...arcs(list, shown, box), ...toChosen];
  const size = { width: list.scrollWidth, height: at.height };
  list.prepend(svg("svg", { class: "strip-links", "aria-hidden": "true", ...size }, ...parts));
}

function relative(element, at) {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return { left: left - at.left, right: right - at.left, top: top - at.top, bottom: bottom - at.top,
    x: (left + right) / 2 - at.left, y: (top + bottom) / 2 - at.top };
}

const column = (list, place) => list.querySelector(`:scope > [data-place="${place}"]`);
const body = ".maps-group, .picture, .classes ol";
const middle = (list, place) => column(list, place).querySelector(body) ?? column(list, place);

function flows(list, shown, box) {
  const next = [...links(shown).filter(link => isNext(shown, link)), [shown.length - 1, shown.length]];
  return next.map(([from, to]) => {
    const [start, end] = [box(middle(list, from)), box(middle(list, to))];
    return svg("line", { class: "strip-flow", x1: start.right, y1: start.y, x2: end.left, y2: start.y });
  });
}

function arcs(list, shown, box) {
  return lanes(shown).flatMap(([from, to, lane]) => {
    const [start, end] = [box(column(list, from)), box(column(list, to))], top = start.top - 10 - above * lane;
    const path = `M${start.x},${start.top - 2}V${top + 8}q0,-8 8,-8H${end.x - 8}q8,0 8,8V${end.top - 2}`;
    const word = shown[to].blocks ? null : joins[shown[to].block.layer.type];
    const label = word && svg("text", { class: "strip-join", x: end.x - 12, y: top - 4 }, word);
    return [svg("path", { class: "strip-arc", d: path }), ...(label ? [label] : [])];
  });
}

function rays(list, store, { path, channel }, box) {
  const to = picture(list, path, channel);
  if (!to) return [];
  const end = box(to), block = store.block(path);
  return block.sources.flatMap((source, number) => {
    const read = channelsRead(store, block, number, [channel, channel]);
    return read ? pictures(list, source, read).map(from => ray(box(from), end)) : [];
  });
}

function ray(start, end) {
  return svg("line", { class: "strip-ray", x1: start.right, y1: start.y, x2: end.left, y2: end.y });
}

function picture(list, path, channel) {
  return pictures(list, path, [channel, channel])[0];
}

function pictures(list, path, [first, last]) {
  if (path === "input") return [list.querySelector(".picture")];
  const found = [...list.querySelectorAll(`.maps-map[data-path="${CSS.escape(path)}"]`)];
  return found.filter(({ dataset, classList }) => classList.contains("maps-vector")
    || (dataset.channel >= first && dataset.channel <= last));
}
