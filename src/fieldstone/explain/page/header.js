// What stands above every view: where one is, another image, the language and the theme.

import { html, button } from "fieldstone/elements";
import { svg } from "fieldstone/grid";
import { imageButton } from "fieldstone/image";
import { addWords, language, say, setLanguage } from "fieldstone/words";

addWords({
  "header.skip": ["Skip to the view", "본문으로 건너뛰기"],
  "header.where": ["Where you are", "현재 위치"],
  "header.overview": ["Overview", "전체 보기"],
  "header.other": ["한국어", "English"],
  "header.dark": ["Dark", "어둡게"],
  "header.light": ["Light", "밝게"],
  "header.keys": ["Keys", "단축키"],
});

const stones = [[1, 1, 12, 6], [15, 1, 6, 6], [1, 9, 6, 5], [9, 9, 12, 5], [1, 16, 9, 5], [12, 16, 9, 5]];

/**
 * Build the header; the result's `update(crumbs)` writes its words: a list of {text, href}, the last one without href;
 * `tell(text)` shows a fault. */
export function header(page, showKeys) {
  const root = document.getElementById("header"), other = { en: "ko", ko: "en" };
  const skip = html("a", { href: "#view", class: "header-skip" });
  const crumbs = html("nav", { class: "header-crumbs" });
  const tongue = button("", () => keep("language", other[language()], setLanguage), { class: "ghost", id: "language" });
  const theme = button("", () => keep("theme", isDark() ? "light" : "dark", setTheme), { class: "ghost", id: "theme" });
  const help = button("?", showKeys, { class: "ghost", id: "keys" }), image = imageButton(page);
  skip.addEventListener("click", event => { event.preventDefault(); page.root.focus() });
  root.append(html("div", { class: "header" }, skip, brand(), crumbs,
    html("div", { class: "header-end" }, image.element, tongue, theme, help)), image.alert);
  return { update, tell: image.tell };

  function update(trail) {
    skip.textContent = say("header.skip");
    crumbs.setAttribute("aria-label", say("header.where"));
    crumbs.replaceChildren(html("ol", {}, ...trail.map(crumb)));
    tongue.textContent = say("header.other");
    tongue.lang = other[language()];
    theme.textContent = say(isDark() ? "header.light" : "header.dark");
    help.setAttribute("aria-label", say("header.keys"));
    help.title = say("header.keys");
    image.update();
  }

  function setTheme(chosen) {
    document.documentElement.dataset.theme = chosen;
    theme.textContent = say(isDark() ? "header.light" : "header.dark");
    document.dispatchEvent(new Event("themechange"));
  }
}

function crumb({ text, href }) {
  return html("li", {}, href ? html("a", { href }, text) : html("span", { "aria-current": "page" }, text));
}

function brand() {
  const rects = stones.map(([x, y, width, height]) => svg("rect", { x, y, width, height, rx: 2 }));
  const size = { width: 22, height: 22, viewBox: "0 0 22 22" };
  const mark = svg("svg", { ...size, fill: "currentColor", "aria-hidden": "true" }, ...rects);
  return html("a", { href: "#/", class: "header-brand" }, mark, "Fieldstone");
}

const isDark = () => document.documentElement.dataset.theme === "dark";

/** Set what a person chose, and keep it where the browser lets a page keep something (it may not, from a file). */
function keep(name, chosen, set) {
  try {
    localStorage.setItem(`fieldstone-${name}`, chosen);
  } catch (fault) {
    if (!(fault instanceof DOMException)) throw fault;
  }
  set(chosen);
}
