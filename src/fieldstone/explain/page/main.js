// The page: opens the payload and shows the view that the address names.

import { header } from "fieldstone/header";
import { keys } from "fieldstone/keys";
import { routed } from "fieldstone/routes";
import { open } from "fieldstone/store";

/** Start the page. */
export async function start() {
  const payload = JSON.parse(document.getElementById("payload").textContent);
  const page = { root: document.getElementById("view"), store: open(payload), shown: null, take };
  const top = header(page, keys());
  addEventListener("unhandledrejection", ({ reason }) => top.tell(reason.message));
  addEventListener("hashchange", () => show(page, top));
  document.addEventListener("languagechange", () => show(page, top));
  await show(page, top);
  await page.shown?.ready; // none, where another address came meanwhile
  document.documentElement.dataset.ready = "";

  /** Show another image: a payload that the server made of it. */
  function take(next) {
    page.store = open(next);
    document.dispatchEvent(new Event("imagechange"));
    return show(page, top);
  }
}

async function show(page, top) {
  const route = routed(page.store, location.hash), turn = (page.turn = Symbol());
  const isNew = page.name !== route.name && (page.name || route.block); // a page that opens with the overview moves nobody
  const { view } = await route.module();
  if (page.turn !== turn) return; // the address has changed since
  const isWithin = page.root.contains(document.activeElement), link = document.activeElement.getAttribute("href");
  page.shown?.close();
  page.root.replaceChildren(...route.above(), route.body);
  page.shown = view(route.body, page.store, route.block, { hash: location.hash });
  page.name = route.name;
  top.update(route.crumbs);
  document.title = `${route.title} · Fieldstone`;
  if (isNew) scrollTo(0, 0);
  if (isNew || isWithin) focus(page.root, isNew ? null : link);
}

/** Where a person goes, the focus goes: to the layer, where its keys act, or to the heading; of a link, to it again. */
function focus(root, link) {
  const same = link && root.querySelector(`a[href="${CSS.escape(link)}"]`);
  const place = same || root.querySelector(".step-view, .sheet-view") || root.querySelector("h1");
  if (place.tabIndex < 0) place.tabIndex = -1; // a heading takes the focus only so
  place.focus({ preventScroll: true });
}
