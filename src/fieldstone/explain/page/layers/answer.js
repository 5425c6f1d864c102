// The answer in numbers: logits to probabilities by softmax, or by the sigmoid of one logit.

import { difference } from "fieldstone/arithmetic";
import { shares } from "fieldstone/elementwise";
import { power } from "fieldstone/formulas";
import { isDecided } from "fieldstone/classes";
import { exact, format, percent } from "fieldstone/numbers";
import { bar, line } from "fieldstone/sheet";
import { html } from "fieldstone/elements";
import { safety, softmaxTable } from "fieldstone/softmax";
import { addWords, say } from "fieldstone/words";

addWords({
  "answer.softmax": ["Softmax: logits to probabilities", "소프트맥스: 로짓에서 확률로"],
  "answer.sigmoid": ["Sigmoid: the logit to a probability", "시그모이드: 로짓에서 확률로"],
  "answer.binary": [
    "The one logit z is {z}. The probability of {second} is 1 ÷ (1 + e^−z), that of {first} the rest.",
    "하나뿐인 로짓 z = {z}. {second}의 확률은 1 ÷ (1 + e^−z), {first}의 확률은 그 나머지입니다.",
  ],
  "answer.infinite": [
    "The logit is infinite: its sigmoid is exactly {share}. A number before it is infinite, or has overflowed.",
    "로짓이 무한대입니다. 시그모이드 값: 정확히 {share}. 앞의 어느 수가 무한대이거나 범위를 넘었습니다.",
  ],
  "answer.unknown": [
    "The logit is not a number, so its sigmoid is none: neither class wins.",
    "로짓이 수가 아니므로 시그모이드 값도 없습니다. 어느 클래스도 이기지 않습니다.",
  ],
});

/** A card for the end of the network, or null where the answer is not one of classes. */
export function answer(store) {
  const { model, outputs } = store.payload;
  const logits = outputs.logits.map(Number);
  if (!logits.length || !["binary", "multiclass"].includes(model.task)) return null;
  const content =
    model.task === "binary"
      ? sigmoidOf(logits[0], model.classes, outputs)
      : softmaxOf(logits, model.classes, outputs);
  return html("section", { class: "sheet-box card answer" }, ...content);
}

function softmaxOf(logits, classes, outputs) {
  const { probabilities } = outputs;
  const { largest, shares: own } = shares(logits);
  const wrong =
    probabilities.map(one => difference({ own: own[one.class], recorded: Number(one.value), size: 1 })).find(Boolean) ??
    "";
  return [
    html("h2", {}, say("answer.softmax")),
    softmaxTable(logits, classes, isDecided(outputs) ? probabilities[0].class : null),
    html("p", { class: "answer-note" }, safety(largest)),
    html("p", { class: "answer-note" }, wrong),
  ];
}

function sigmoidOf(logit, classes, outputs) {
  const recorded = [0, 1].map(place => Number(outputs.probabilities.find(one => one.class === place).value));
  const own = 1 / (1 + Math.exp(-logit)),
    winner = isDecided(outputs) ? outputs.probabilities[0].class : null;
  const row = (place, share = recorded[place]) =>
    html(
      "tr",
      { "data-class": place, class: place === winner ? "softmax-chosen" : null },
      html("td", {}, classes[place]),
      html("td", { "data-value": exact(share) }, percent(share)),
      html("td", {}, bar(share)),
    );
  return [
    html("h2", {}, say("answer.sigmoid")),
    html("p", {}, say("answer.binary", { z: format(logit), first: classes[0], second: classes[1] })),
    html(
      "div",
      { class: "arithmetic" },
      line.group(html("span", { "data-value": exact(logit) }, `1 ÷ (1 + ${power(-logit)})`)),
      line.group(line.sign(Number.isFinite(logit) ? "≈" : "="), line.result(own, recorded[1])),
    ),
    html("table", { class: "sheet-table softmax" }, html("tbody", {}, row(1), row(0))),
    html("p", { class: "answer-note" }, unusual(logit, recorded[1])),
    html("p", { class: "answer-note" }, difference({ own, recorded: recorded[1], size: 1 })),
  ];
}

/** What is to be said of a logit that is not finite; "" of any other. */
function unusual(logit, share) {
  if (Number.isFinite(logit)) return "";
  return say(Number.isNaN(logit) ? "answer.unknown" : "answer.infinite", { share });
}
