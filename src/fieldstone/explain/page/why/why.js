// Why this answer: what speaks for a class, by gradients and by covering the image, and how far a value really sees.

import { agreement, largest } from "fieldstone/agreement";
import { isDecided } from "fieldstone/classes";
import { html } from "fieldstone/elements";
import { activationFigure, fieldFigure, occlusionFigure } from "fieldstone/figures";
import { sampler } from "fieldstone/light";
import { percent } from "fieldstone/numbers";
import { addWords, say } from "fieldstone/words";

addWords({
  "why.class": ["Class", "클래스"],
  "why.other": ["another class", "다른 클래스"],
  "why.wait": ["The image is covered part by part …", "이미지를 부분별로 가려 보는 중 …"],
  "why.none": [
    "This file says why for {count} classes, and not for this one; the live page (fieldstone explore, without " +
      "-o) does.",
    "이 파일에는 클래스 {count}개의 이유만 있습니다. -o 없이 fieldstone explore로 연 페이지에서는 모두 볼 수 있습니다.",
  ],
  "why.not": ["There is nothing to show: {reason}.", "보여 줄 것이 없습니다. {reason}."],
  "why.cut": [
    "no gradient comes back from its answer to any map, and class activation is made of gradients",
    "답에서 특징 맵으로 돌아오는 기울기가 없습니다. 클래스 활성화는 기울기로 구합니다",
  ],
  "why.pixels": [
    "it answers for each pixel: point at a cell of its last map",
    "픽셀마다 답하는 네트워크이니 마지막 맵의 칸을 가리켜 보세요",
  ],
  "why.infinite": ["the answer is not finite", "답이 유한한 수가 아닙니다"],
  "why.flat": ["no map is left before its answer", "답 앞에 남은 특징 맵이 없습니다"],
  "why.agree": [
    "The two agree: {share} of what either marks, both mark.",
    "두 방법이 일치합니다. 어느 한쪽이라도 표시한 곳 중 둘 다 표시한 비율: {share}.",
  ],
  "why.partly": [
    "The two agree in part: {share} of what either marks, both mark.",
    "두 방법이 부분적으로 일치합니다. 어느 한쪽이라도 표시한 곳 중 둘 다 표시한 비율: {share}.",
  ],
  "why.differ": [
    "The two disagree: {share} of what either marks, both mark. Class activation is largest at row {row}, column " +
      "{column} of the image, covering costs most at row {otherRow}, column {otherColumn}. Covering is measured, " +
      "class activation is estimated.",
    "두 방법이 어긋납니다. 어느 한쪽이라도 표시한 곳 중 둘 다 표시한 비율: {share}. 클래스 활성화의 최댓값은 이미지의 {row}행 {column}열, 가렸을 때 가장 크게 떨어지는 곳은 " +
      "{otherRow}행 {otherColumn}열. 가리기는 측정이고 클래스 활성화는 추정입니다.",
  ],
  "why.nowhere": [
    "They cannot be compared: one of them marks nothing for this class.",
    "비교할 수 없습니다. 둘 중 하나는 이 클래스에 대해 표시하는 곳이 없습니다.",
  ],
});

const agreeing = 0.4, differing = 0.15, offered = 5;

/** Draw why; the class stands in the address. */
export function view(root, store, block, { hash }) {
  const { live, why_not: barred, outputs } = store.payload;
  const reason = barred ?? (isDecided(outputs) ? null : "infinite");
  if (reason) {
    root.append(html("section", { class: "why card" }, say("why.not", { reason: say(`why.${reason}`) })));
    return { close() {} };
  }
  const [best] = outputs.probabilities, asked = Number(/^#\/why\/(\d+)$/.exec(hash)?.[1] ?? best.class);
  const body = html("div", { class: "why-body", "aria-live": "polite" });
  const drawn = [], redraw = () => drawn.forEach(draw => draw());
  document.addEventListener("themechange", redraw);
  root.append(html("section", { class: "why card" }, choices(store, asked), body));
  if (live) body.append(html("p", { class: "why-wait" }, say("why.wait")));
  let isOpen = true;
  store.why(asked).then(async why => {
    const content = await told(store, why, asked, drawn);
    if (isOpen) body.replaceChildren(...content);
    redraw();
  }, fault => body.replaceChildren(html("p", { role: "alert" }, fault.message)));
  return { close() { isOpen = false; document.removeEventListener("themechange", redraw) } };
}

/** The classes to choose from: the most probable ones, those that the file knows of; live any. */
function choices(store, asked) {
  const { live, why, model, outputs } = store.payload;
  const places = live || !why ? outputs.probabilities.slice(0, offered).map(one => one.class) : why.classes;
  const share = place => outputs.probabilities.find(one => one.class === place)?.value;
  const isCurrent = place => (place === asked ? "true" : null);
  const link = place => html("a", { href: `#/why/${place}`, class: "why-class", "aria-current": isCurrent(place) },
    html("span", { class: "why-name" }, model.classes[place]),
    html("span", { class: "why-share" }, share(place) === undefined ? "" : percent(Number(share(place)))));
  const more = live ? others(model, places, asked) : null;
  return html("nav", { class: "why-classes", "aria-label": say("why.class") }, ...places.map(link), more);
}

function others(model, places, asked) {
  const option = (name, place) => html("option", { value: place, selected: place === asked }, name);
  const list = html("select", { class: "ghost why-others", "aria-label": say("why.other") },
    html("option", { value: "", selected: places.includes(asked) }, `${say("why.other")} …`),
    ...model.classes.map(option));
  list.addEventListener("change", () => { if (list.value) location.hash = `#/why/${list.value}` });
  return list;
}

async function told(store, why, asked, drawn) {
  if (!why.classes.includes(asked)) return [html("p", {}, say("why.none", { count: why.classes.length }))];
  const [light, falls] = [why.gradcam[asked], why.occlusion[asked]];
  const [activation, occlusion] = await Promise.all([light, falls].map(one => sampled(store, one.array)));
  const name = store.payload.model.classes[asked];
  return [
    html("p", { class: "why-verdict" },
      activation && occlusion ? verdict(store, activation, occlusion) : say("why.nowhere")),
    html("div", { class: "why-figures" },
      activation && activationFigure(store, { sample: activation, block: light.block, name, drawn }),
      occlusion && occlusionFigure(store,
        { sample: occlusion, activation, patch: falls.patch, name, drawn, most: largest(occlusion) }),
      await fieldFigure(store, why.effective, sampled, drawn)),
  ];
}

/** A sampler of an array (h, w); null where this file left it out. */
async function sampled(store, name) {
  const values = await store.array(name);
  return values && sampler(values, ...store.about(name).shape);
}

function verdict(store, activation, occlusion) {
  const found = agreement(activation, occlusion), { width, height } = store.payload.image;
  if (!found) return say("why.nowhere");
  const place = ([down, across]) => [Math.floor(down * height) + 1, Math.floor(across * width) + 1];
  const [[row, column], [otherRow, otherColumn]] = [place(found.first), place(found.second)];
  const key = found.shared >= agreeing ? "why.agree" : found.shared >= differing ? "why.partly" : "why.differ";
  return say(key, { share: percent(found.shared), row, column, otherRow, otherColumn });
}
