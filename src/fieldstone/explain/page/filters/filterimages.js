// Filters that read three colours, as images.

import { button, html } from "fieldstone/elements";
import { kernelAt } from "fieldstone/kernels";
import { format } from "fieldstone/numbers";
import { addWords, say } from "fieldstone/words";

addWords({
  "filterimages.images": ["As images", "이미지로 보기"],
  "filterimages.images_how": [
    "Red, green and blue are the filter's three input channels. All are scaled by the layer's largest weight, " +
      "{most}: 0 is mid-grey, brighter is plus, darker is minus.",
    "빨강, 초록, 파랑은 필터의 세 입력 채널입니다. 층의 가장 큰 가중치로 나눕니다: {most}. " +
      "0은 중간 회색, 밝을수록 +, 어두울수록 −입니다.",
  ],
  "filterimages.image_label": ["Filters {from} to {to} as images", "이미지로 본 필터 {from}–{to}"],
});

/** The filters that read three colours, as images. */
export function asImages({ kernels, weights, most }, chosen, width, go) {
  const side = 48,
    pitch = side + 8;
  const across = Math.max(1, Math.floor(width / pitch));
  const perPage = across * Math.ceil(64 / across);
  const from = Math.floor(chosen.filter / perPage) * perPage;
  const shown = Math.min(perPage, kernels.filters - from);
  const figures = Array.from({ length: shown }, (_, at) => {
    const filter = from + at;
    const canvas = html("canvas", {
      width: kernels.columns,
      height: kernels.rows,
      style: `width:${side}px;height:${Math.round((side * kernels.rows) / kernels.columns)}px`,
    });
    canvas.getContext("2d").putImageData(image(kernels, weights, filter, most), 0, 0);
    const choose = () => {
      go({ filter });
      document.querySelector(`[data-filter="${filter}"]`)?.focus();
    };
    return button(canvas, choose, {
      "data-filter": filter,
      "aria-label": `${say("filtersheet.filter")} ${filter + 1}`,
      "aria-pressed": String(filter === chosen.filter),
    });
  });
  return [
    html("h3", {}, say("filterimages.images")),
    html("p", {}, say("filterimages.images_how", { most: format(most) })),
    html(
      "div",
      {
        class: "filters-thumbs",
        role: "group",
        "aria-label": say("filterimages.image_label", { from: from + 1, to: from + shown }),
      },
      ...figures,
    ),
  ];
}

function image(kernels, weights, filter, most) {
  const picture = new ImageData(kernels.columns, kernels.rows);
  for (let input = 0; input < 3; input += 1) {
    kernelAt(kernels, weights, filter, input).forEach((weight, at) => {
      picture.data[4 * at + input] = Math.round(127.5 + (127.5 * weight) / most);
    });
  }
  for (let at = 3; at < picture.data.length; at += 4) picture.data[at] = 255;
  return picture;
}
