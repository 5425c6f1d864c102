// The page: opens the payload and shows the view that the address names.

import { header } from "fieldstone/header";
import { keys } from "fieldstone/keys";
import { routed } from "fieldstone/routes";
import { open } from "fieldstone/store";

/** Start the page. */
export async function start() {
  const payload = JSON.parse(document.getElementById("payload").textContent);
  const page = { root: document.getElementById("view"), store: open(payload), shown: null, take };
  window.fieldstone = { store: page.store, modules: {} };
  const top = header(page, keys());
  addEventListener("unhandledrejection", ({ reason }) => top.tell(reason.message));
  addEventListener("hashchange", () => show(page, top, true));
  document.addEventListener("languagechange", () => show(page, top, false));
  await show(page, top, false);
  await loadModules();
  document.documentElement.dataset.ready = "";

  /** Show another image: a payload that the server made of it. */
  function take(next) {
    page.store = open(next);
    window.fieldstone.store = page.store;
    document.dispatchEvent(new Event("imagechange"));
    return show(page, top, false);
  }
}

async function show(page, top, isMoved) {
  page.shown?.close();
  page.shown = null;
  const route = routed(page.store, location.hash), before = page.name, turn = (page.turn = Symbol());
  const { view } = await route.module();
  if (page.turn !== turn) return; // the address has changed since
  page.root.replaceChildren(...route.above(), route.body);
  page.shown = view(route.body, page.store, route.block, { hash: location.hash });
  top.update(route.crumbs);
  document.title = `${route.title} · Fieldstone`;
  page.name = route.name;
  if (isMoved && before !== route.name) focused(page.root);
}

/** Where a person goes, the focus goes: to the heading of the view. */
function focused(root) {
  const heading = root.querySelector("h1");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
}

async function loadModules() {
  const { imports } = JSON.parse(document.querySelector("script[type=importmap]").textContent);
  await Promise.all(Object.keys(imports).map(async name => {
    window.fieldstone.modules[name.replace("fieldstone/", "")] = await import(name);
  }));
}
