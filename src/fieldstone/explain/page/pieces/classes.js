// The answer: each class as a bar, the most probable first.

import { button, html } from "fieldstone/elements";
import { exact, percent } from "fieldstone/numbers";
import { addWords, say } from "fieldstone/words";

addWords({
  "classes.title": ["Probability", "확률"],
  "classes.pixels": [
    "A class for every pixel: the last map is the answer.",
    "픽셀마다 클래스 하나: 마지막 맵이 답입니다.",
  ],
  "classes.undecided": [
    "The answer is not finite: no class wins.",
    "답이 유한한 수가 아닙니다. 가장 유력한 클래스가 없습니다.",
  ],
  "classes.more": ["{count} more", "{count}개 더"],
});

/** Whether every class has a probability that is a number. */
export function isDecided({ probabilities }) {
  return probabilities.every(({ value }) => Number.isFinite(Number(value)));
}

/** The list of classes with their probabilities; so many at first, and a button that shows the others. */
export function bars({ outputs, model: { classes } }, most) {
  const title = html("h2", {}, say("classes.title"));
  if (!outputs.per_pixel) return html("div", { class: "classes" }, title, ranked(outputs, classes, most));
  return html("div", { class: "classes" }, title, html("p", { class: "classes-pixels" }, say("classes.pixels")));
}

/** Probabilities [{class, value}], the largest first, as bars; `opened` is told once all of them are asked for. */
export function ranked(outputs, classes, most, opened = () => {}) {
  const rows = outputs.probabilities.slice(0, most).map(one => row(one, classes));
  const list = html("ol", {}, ...rows), rest = outputs.probabilities.slice(most);
  const more = rest.length === 0 ? null : button(say("classes.more", { count: rest.length }), () => {
    list.append(...rest.map(one => row(one, classes)));
    more.remove();
    opened();
  }, { class: "ghost" });
  const isWon = isDecided(outputs);
  const note = isWon ? null : html("p", { class: "classes-undecided" }, say("classes.undecided"));
  return html("div", { class: isWon ? "classes-won" : null }, note, list, more);
}

function row({ class: place, value }, classes) {
  const share = Number(value), width = Number.isFinite(share) ? 100 * share : 0;
  return html("li", { "data-class": place, "data-value": exact(share) },
    html("span", { class: "classes-name", title: classes[place] }, classes[place]),
    html("span", { class: "classes-share" }, percent(share)),
    html("span", { class: "classes-bar", style: `--share: ${width}%`, "aria-hidden": "true" }));
}
