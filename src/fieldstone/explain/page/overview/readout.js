// The line that says what the cell under the pointer or the focus is, and what of the image leads to it.

import { known, isVector, plane } from "fieldstone/maps";
import { exact, format } from "fieldstone/numbers";
import { addWords, say } from "fieldstone/words";

addWords({
  "readout.none": ["Point at a cell of any map: what leads to it is framed on every map before it, and on the image.",
    "아무 특징 맵의 칸을 가리켜 보세요. 그 값에 이르는 부분이 앞의 모든 맵과 이미지에 표시됩니다."],
  "readout.cell": ["{block}, map {map}, row {row}, column {column}", "{block}, 특징 맵 {map}, {row}행 {column}열"],
  "readout.number": ["{block}, number {map}", "{block}, {map}번째 수"],
  "readout.part": ["{size} of the image", "이미지의 {size}"],
  "readout.all": ["the whole image", "이미지 전체"],
  "readout.nothing": ["padding alone", "패딩뿐"],
  "readout.unknown": ["not in this file", "이 파일에 없음"],
});

/** Tell of a cell; `part` is what of the image leads to it. Screen readers hear of what was chosen alone. */
export async function tell(line, store, cell, part, isSaid) {
  line.setAttribute("aria-live", isSaid ? "polite" : "off");
  line.cell = cell;
  if (!cell) {
    line.textContent = say("readout.none");
    return;
  }
  const value = await valueOf(store, cell);
  if (line.cell !== cell) return; // another cell has come since
  const told = value === null ? `(${say("readout.unknown")})` : `= ${format(value)}`;
  line.textContent = `${name(store, cell)} ${told} ← ${seen(store, part)}`;
  Object.assign(line.dataset, { path: cell.path, channel: cell.channel, row: cell.row, column: cell.column });
  line.dataset.value = value === null ? "" : exact(value);
  line.dataset.rows = part ? part.rows.join("-") : "";
  line.dataset.columns = part ? part.columns.join("-") : "";
}

async function valueOf(store, { path, channel, row, column }) {
  const block = store.block(path), part = plane(await known(store, path), block, channel);
  if (!part) return null;
  if (isVector(block)) return part.values[channel];
  if (row % part.step || column % part.step) return null;
  return part.values[(row / part.step) * part.width + column / part.step];
}

function name(store, { path, channel, row, column }) {
  const block = store.block(path), counted = { map: channel + 1, row: row + 1, column: column + 1 };
  const words = { block: block.notation, ...counted };
  return say(isVector(block) ? "readout.number" : "readout.cell", words);
}

function seen(store, part) {
  if (!part) return say("readout.nothing");
  const { width, height } = store.payload.image, size = ([first, last]) => last - first + 1;
  const [high, wide] = [size(part.rows), size(part.columns)];
  return high === height && wide === width ? say("readout.all") : say("readout.part", { size: `${high}×${wide}` });
}
