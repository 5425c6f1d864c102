// What went wrong behind the page, in words: the server gives a key and the values in them.

import { count } from "fieldstone/numbers";
import { addWords, say } from "fieldstone/words";

addWords({
  "faults.unreadable": [
    "{name}: not an image that Pillow can read; give another image",
    "{name}: Pillow가 읽을 수 있는 이미지가 아닙니다. 다른 이미지를 고르세요.",
  ],
  "faults.pixels": [
    "{name}: it has no pixels, or more than {most}; give a smaller image",
    "{name}: 픽셀이 없거나 {most}개보다 많습니다. 더 작은 이미지를 고르세요.",
  ],
  "faults.damaged": [
    "{name}: damaged ({detail}); give another image",
    "{name}: 손상된 파일입니다({detail}). 다른 이미지를 고르세요.",
  ],
  "faults.memory": [
    "{name}: it does not fit into memory; give a smaller image",
    "{name}: 메모리에 들어가지 않습니다. 더 작은 이미지를 고르세요.",
  ],
  "faults.large": ["the image file is larger than {most} MiB", "이미지 파일이 {most} MiB보다 큽니다"],
  "faults.length": ["the image came without its length", "이미지의 길이가 함께 오지 않았습니다"],
  "faults.network": ["the network failed: {detail}", "신경망을 실행하지 못했습니다: {detail}"],
  "faults.gone": [
    "this image is no longer kept: drop it again",
    "이 이미지는 더 이상 보관되어 있지 않습니다. 다시 놓으세요.",
  ],
  "faults.class": ["there is no class {place}", "없는 클래스입니다: {place}"],
  "faults.array": ["there is no array {name}", "없는 배열입니다: {name}"],
  "faults.nothing": ["there is nothing at this address", "이 주소에는 아무것도 없습니다"],
  "faults.stranger": [
    "this page is for its own machine alone",
    "이 페이지는 자기 컴퓨터에서만 열 수 있습니다",
  ],
  "faults.other": ["{detail}", "{detail}"],
});

/** The words of an answer that is not what was asked for, a promise. */
export async function faultIn(answer) {
  const { key, values } = await answer.json();
  return told(key, values);
}

/** The words of a fault. */
export function told(key, values) {
  return say(`faults.${key}`, values.most ? { ...values, most: count(values.most) } : values);
}
