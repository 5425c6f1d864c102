// Blocks of which only the map is shown: those that do nothing when evaluated, and those whose arithmetic has no view.

import { channelChooser, field, sides, valueAt } from "fieldstone/field";
import { format, times } from "fieldstone/numbers";
import { placeOf, room } from "fieldstone/pointwise";
import { keep, mapLeftOut, sheetView, steps } from "fieldstone/sheet";
import { addWords, say } from "fieldstone/words";

addWords({
  "same.identity": [
    "It acts in training alone: here each value passes unchanged.",
    "학습할 때만 작동하며, 여기서는 값이 그대로 지나갑니다.",
  ],
  "same.other": [
    "Its arithmetic has no view of its own; this is the map that it made.",
    "이 블록의 계산 화면은 없습니다. 만들어진 맵을 보여 줍니다.",
  ],
  "same.cell": ["{place} {value}.", "{place} {value}."],
});

export function view(root, store, block) {
  return sheetView(
    root,
    block,
    block.keyword === "other" ? block.notation : block.keyword,
    [store.output(block.path)],
    (on, output) => draw(on, store, block, output),
    true,
  );
}

function draw(on, store, block, output) {
  if (!output?.data) {
    on.stage.append(mapLeftOut(store, block.path));
    return;
  }
  const { channels, rows, columns } = sides(output);
  const cell = keep(block.path, () => ({ channel: 0, row: 0, column: 0 }));
  const size = { ...room(on.width(), output), width: Math.min(on.width(), 572) };
  const go = to => {
    Object.assign(cell, to);
    show();
  };
  const to = field(
    output,
    {
      ...size,
      columns: Math.min(11, Math.floor(on.width() / 34)),
      rows: 11,
      name: "output",
      label: say("words.output"),
      size: times(output.shape),
    },
    go,
  );
  on.stage.append(
    ...[channels > 1 ? channelChooser(channels, cell.channel, channel => go({ channel })) : null, to.element].filter(
      Boolean,
    ),
  );
  on.note.textContent = say(block.layer.type === "identity" ? "same.identity" : "same.other");
  const step = steps(on, rows * columns, at => go({ row: Math.floor(at / columns), column: at % columns }));
  function show() {
    to.show(cell);
    on.sentence.textContent = say("same.cell", { place: placeOf(output, cell), value: format(valueAt(output, cell)) });
    step.show(cell.row * columns + cell.column);
  }
  show();
}
