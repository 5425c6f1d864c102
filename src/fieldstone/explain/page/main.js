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
  const route = routed(page.store, location.hash), turn = (page.turn = Symbol());
  const isNew = isMoved && page.name !== route.name;
  const { view } = await route.module();
  if (page.turn !== turn) return; // the address has changed since
  const link = document.activeElement.getAttribute("href");
  page.shown?.close();
  page.root.replaceChildren(...route.above(), route.body);
  page.shown = view(route.body, page.store, route.block, { hash: location.hash });
  page.name = route.name;
  top.update(route.crumbs);
  document.title = `${route.title} · Fieldstone`;
  if (isNew) focused(page.root);
  else if (link) page.root.querySelector(`a[href="${CSS.escape(link)}"]`)?.focus();
}

/** Where a person goes, the focus goes: to the heading of the view, also to one that a view draws a moment later. */
function focused(root) {
  const focus = () => {
    const heading = root.querySelector("h1");
    if (!heading || document.activeElement !== document.body) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  };
  const drawn = new MutationObserver(focus), settled = () => drawn.disconnect();
  drawn.observe(root, { childList: true, subtree: true });
  for (const kind of ["keydown", "pointerdown", "hashchange"])
    addEventListener(kind, settled, { once: true, capture: true });
  document.activeElement.blur();
  focus();
  scrollTo(0, 0);
}

async function loadModules() {
  const { imports } = JSON.parse(document.querySelector("script[type=importmap]").textContent);
  await Promise.all(Object.keys(imports).map(async name => {
    window.fieldstone.modules[name.replace("fieldstone/", "")] = await import(name);
  }));
}
