// The image that the network sees, and on it the part that leads to a value.

import { html } from "fieldstone/elements";

/** The image in a frame; `mark` shows a part of it. */
export function picture(payload, attributes = {}) {
  const { src, name, width, height } = payload.image;
  const shown = html("img", { src, alt: name, draggable: "false", class: width < 128 ? "picture-coarse" : null });
  return html("div", { class: "picture", style: `aspect-ratio: ${width} / ${height}`, ...attributes },
    html("div", { class: "picture-inside" }, shown, html("div", { class: "picture-veil", hidden: true })),
    html("div", { class: "picture-mark", hidden: true }));
}

/** Frame the rows and columns [first, last] of the image; null for none. */
export function mark(frame, payload, part) {
  const { width, height } = payload.image;
  for (const box of frame.querySelectorAll(".picture-mark, .picture-veil")) {
    box.hidden = !part;
    if (part) placed(box, part, height, width);
  }
}

/** Lay a box over rows and columns of something that is so many high and wide. */
export function placed(box, { rows, columns }, height, width) {
  const percent = (part, whole) => `${(100 * part) / whole}%`;
  Object.assign(box.style, {
    top: percent(rows[0], height), height: percent(rows[1] - rows[0] + 1, height),
    left: percent(columns[0], width), width: percent(columns[1] - columns[0] + 1, width),
  });
}
