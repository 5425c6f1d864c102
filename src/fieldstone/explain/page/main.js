// The page: opens the payload and shows the view that the address names.

import { open } from "fieldstone/store";

export function start() {
  const payload = JSON.parse(document.getElementById("payload").textContent);
  const store = open(payload);
  window.fieldstone = { store, modules: {} };
  const list = document.createElement("ul");
  for (const block of store.blocks) {
    const item = document.createElement("li");
    item.textContent = `${block.path} ${block.notation}`;
    list.append(item);
  }
  document.getElementById("view").append(list);
}
