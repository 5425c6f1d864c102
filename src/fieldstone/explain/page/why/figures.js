// The three pictures of why: class activation, covering, effective receptive field.

import { html } from "fieldstone/elements";
import { svg } from "fieldstone/grid";
import { contour, lit, plain } from "fieldstone/light";
import { format, percent, times } from "fieldstone/numbers";
import { placed } from "fieldstone/picture";
import { story, volume } from "fieldstone/story";
import { addWords, say } from "fieldstone/words";

addWords({
  "figures.activation": ["Class activation", "클래스 활성화"],
  "figures.activation_says": [
    "Where the maps of {block} speak for {name}: each map weighted by how much it moves the logit (Grad-CAM). " +
      "The line is half of the largest.",
    "{block}의 특징 맵에서 {name} 쪽으로 작용하는 곳. 각 맵에 로짓을 움직이는 정도를 곱해 더했습니다(Grad-CAM). 선은 최댓값의 절반입니다.",
  ],
  "figures.occlusion": ["Covering", "가려 보기"],
  "figures.occlusion_says": [
    "How many points the probability of {name} falls when {size} pixels around a place are covered. Where it is " +
      "negative, covering helps. The line is half of the largest fall, the dashed one is that of the class " +
      "activation.",
    "각 자리의 {size} 픽셀을 가렸을 때 {name}의 확률이 떨어지는 정도(포인트). 음수인 곳은 가리면 오히려 오릅니다. 선은 가장 크게 떨어진 값의 절반, 점선은 클래스 활성화의 선입니다.",
  ],
  "figures.field": ["Effective receptive field", "유효 수용 영역"],
  "figures.field_says": [
    "How strongly each pixel of this image moves the middle value of {block}. The dashed frame is all that it " +
      "can see ({sees}); what really moves it is about {size} wide, the solid one.",
    "이미지의 각 픽셀이 {block} 가운데 값을 움직이는 정도. 점선 틀은 볼 수 있는 전부({sees}), 실선 틀은 실제로 영향을 주는 크기(약 {size})입니다.",
  ],
  "figures.field_alone": [
    "How strongly each pixel of this image moves the middle value of {block}: what really moves it is about {size} wide. " +
      "All that it can see is not known.",
    "이미지의 각 픽셀이 {block} 가운데 값을 움직이는 정도. 실제로 영향을 주는 크기는 약 {size}입니다. 볼 수 있는 전부는 알 수 없습니다.",
  ],
  "figures.block": ["Block", "블록"],
  "figures.none": ["nothing", "없음"], "figures.most": ["most", "최대"],
  "figures.points": ["{value} points", "{value} 포인트"],
  "figures.alt": ["{title} over {image}", "{image} 위의 {title}"],
});

const side = 320; // pixels of a picture's longer side

/** What speaks for a class on the last map, as light. */
export function activationFigure(store, { sample, block, name, drawn }) {
  const title = say("figures.activation"), { frame, canvas } = framed(store, title);
  drawn.push(() => withImage(store, image => lit(canvas, image, sample)));
  frame.append(outline(sample, 0.5));
  return figure(title, frame, say("figures.activation_says", { block: store.block(block).notation, name }),
    bar("figures-light", say("figures.none"), say("figures.most")));
}

/** How much covering a place costs, on the scale of signs. */
export function occlusionFigure(store, { sample, activation, patch, name, drawn, most }) {
  const title = say("figures.occlusion"), { frame, canvas } = framed(store, title), scale = extent(sample);
  drawn.push(() => plain(canvas, sample, scale));
  if (activation) frame.append(outline(activation, 0.5, "figures-other"));
  if (most > 0) frame.append(outline(sample, most / 2));
  const points = value => say("figures.points", { value: format(100 * value) });
  return figure(title, frame, say("figures.occlusion_says", { size: times([patch, patch]), name }),
    bar("figures-signed", points(-scale), points(scale), "0"));
}

/** How strongly the pixels move a block's middle value; a choice of blocks where there are several. */
export async function fieldFigure(store, effective, sampled, drawn) {
  const paths = Object.keys(effective ?? {}), last = paths.at(-1);
  if (paths.length === 0) return null;
  const title = say("figures.field"), { frame, canvas } = framed(store, title), words = html("p");
  const [box, really] = ["figures-frame", "figures-really"].map(kind => html("div", { class: kind }));
  const chosen = html("select", { class: "ghost figures-block", "aria-label": say("figures.block") },
    ...paths.map(path => html("option", { value: path, selected: path === last },
      `${path}  ${store.block(path).notation}`)));
  frame.append(box, really);
  let sample = null;
  const draw = () => { if (sample) withImage(store, image => lit(canvas, image, sample)) };
  const choose = async () => {
    const path = chosen.value, block = store.block(path), { array, size } = effective[path];
    const found = await sampled(store, array);
    const most = found ? extent(found) : 1;
    sample = found && ((down, across) => found(down, across) / most);
    frameMiddle(store, block, size, box, really);
    const told = { block: block.notation, size: times([size, size].map(Math.round)) };
    words.textContent = block.sees
      ? say("figures.field_says", { ...told, sees: times(block.sees) })
      : say("figures.field_alone", told);
    draw();
  };
  chosen.addEventListener("change", choose);
  drawn.push(draw);
  await choose();
  const scale = bar("figures-light", say("figures.none"), say("figures.most"));
  return figure(title, frame, words, scale, paths.length > 1 ? chosen : null);
}

/** Frame what the middle value can see, and around its middle the size of what really moves it. */
function frameMiddle(store, block, size, box, really) {
  const [, height, width] = volume(block.output_shape), { image } = store.payload;
  const part = story(store, block.path, null, height >> 1, width >> 1).get("input");
  really.hidden = !part;
  box.hidden = !part || !block.sees;
  if (!part) return;
  placed(box, part, image.height, image.width);
  const around = ([first, last]) => [(first + last - size + 1) / 2, (first + last + size - 1) / 2];
  placed(really, { rows: around(part.rows), columns: around(part.columns) }, image.height, image.width);
}

function framed(store, title) {
  const { width, height, name } = store.payload.image, scale = side / Math.max(width, height);
  const canvas = html("canvas", { width: Math.round(width * scale), height: Math.round(height * scale), role: "img",
    "aria-label": say("figures.alt", { title, image: name }) });
  const style = `aspect-ratio: ${width} / ${height}`;
  return { canvas, frame: html("div", { class: "figures-picture", style }, canvas) };
}

function figure(title, frame, words, scale, control = null) {
  return html("section", { class: "figures-one" }, html("h2", {}, title), frame, scale,
    words instanceof Node ? words : html("p", {}, words), control);
}

function bar(kind, low, high, middle = "") {
  return html("div", { class: "figures-scale" }, html("span", { class: kind, "aria-hidden": "true" }),
    html("span", {}, low), html("span", {}, middle), html("span", {}, high));
}

function outline(sample, level, kind = "figures-line") {
  const path = contour(sample, level);
  return svg("svg", { class: kind, viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("path", { class: "figures-halo", d: path }), svg("path", { d: path }));
}

/** The largest size of a sampler's values, above 0. */
function extent(sample) {
  let most = 0;
  for (let row = 0; row < side; row++) for (let column = 0; column < side; column++)
    most = Math.max(most, Math.abs(sample((row + 0.5) / side, (column + 0.5) / side)));
  return most || 1;
}

async function withImage(store, draw) {
  const image = new Image();
  image.src = store.payload.image.src;
  await image.decode();
  draw(image);
}
