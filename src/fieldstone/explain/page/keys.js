// The list of keys.

import { button, html } from "fieldstone/elements";
import { addWords, say } from "fieldstone/words";

addWords({
  "keys.title": ["Keys", "단축키"],
  "keys.close": ["Close", "닫기"],
  "keys.anywhere": ["Anywhere", "어디서나"],
  "keys.map": ["On a feature map", "특징 맵에서"],
  "keys.layer": ["In an open layer", "열린 층에서"],
  "keys.tab": ["Next map, button or link", "다음 맵, 버튼, 링크"],
  "keys.escape": ["Back to the overview", "전체 보기로"],
  "keys.help": ["This list", "이 목록"],
  "keys.cell": ["The cell beside it", "옆 칸"],
  "keys.ends": ["The first cell, the last cell", "첫 칸, 마지막 칸"],
  "keys.page": ["The map before, the map after", "앞 맵, 뒤 맵"],
  "keys.enter": ["Open the layer", "층 열기"],
  "keys.play": ["Play, pause", "재생, 일시정지"],
  "keys.step": ["A step back, a step on", "한 단계 뒤로, 앞으로"],
  "keys.firstLast": ["The first step, the last step", "첫 단계, 마지막 단계"],
  "keys.speed": ["Faster, slower", "빠르게, 느리게"],
});

const lists = {
  "keys.anywhere": [["Tab", "keys.tab"], ["Esc", "keys.escape"], ["?", "keys.help"]],
  "keys.map": [
    ["↑ ↓ ← →", "keys.cell"], ["Home End", "keys.ends"], ["PgUp PgDn", "keys.page"], ["Enter", "keys.enter"],
  ],
  "keys.layer": [["Space", "keys.play"], ["← →", "keys.step"], ["Home End", "keys.firstLast"], ["+ −", "keys.speed"]],
};

/** The dialog with the keys, which `?` opens anywhere but in a text; the result opens it too. */
export function keys() {
  const dialog = html("dialog", { class: "keys card", "aria-labelledby": "keys-title" });
  document.body.append(dialog);
  const show = () => { dialog.replaceChildren(...content(dialog)); dialog.showModal() };
  addEventListener("keydown", event => {
    if (dialog.open || event.defaultPrevented || isTyping(event.target)) return;
    if (event.key === "?") { event.preventDefault(); show() }
    if (event.key === "Escape") location.hash = "#/";
    if (event.key === " " && event.target.ariaBusy) event.preventDefault(); // a layer whose numbers still come
  });
  return show;
}

function content(dialog) {
  const sections = Object.entries(lists).flatMap(([title, rows]) => [html("h3", {}, say(title)), listed(rows)]);
  const close = button(say("keys.close"), () => dialog.close(), { class: "ghost" });
  return [html("h2", { id: "keys-title" }, say("keys.title")), ...sections, close];
}

function listed(rows) {
  const caps = keys => keys.split(" ").map(key => html("kbd", {}, key));
  return html("dl", {}, ...rows.flatMap(([keys, does]) => [html("dt", {}, ...caps(keys)), html("dd", {}, say(does))]));
}

/** Whether a key that is pressed there is a letter of a text. */
export function isTyping(element) {
  return element.matches("textarea, input:not([type=range], [type=radio], [type=checkbox], [type=file])");
}
