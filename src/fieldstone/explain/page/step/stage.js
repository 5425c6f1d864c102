// The drawing of a step: input, kernel or window, and output as stones, with frames and beams.

import { Beams } from "fieldstone/beams";
import { Stones, hatch, svg } from "fieldstone/grid";
import { layout } from "fieldstone/layout";
import { inputLens, outputLens } from "fieldstone/lens";
import { inputLook, isApart, isPartial, kernelLook, outputLook, sceneOf } from "fieldstone/looks";
import { addWords, say } from "fieldstone/words";

addWords({
  "stage.window": ["Window", "윈도우"],
  "stage.kernel": ["Kernel", "커널"],
  "stage.padding": ["{size} + padding {padding}", "{size} + 패딩 {padding}"],
  "stage.part": ["rows {rows}, columns {columns} of {size}", "{size} 중 {rows}행, {columns}열"],
  "stage.rows": ["rows {rows}, columns {columns}", "{rows}행, {columns}열"],
  "stage.max": ["largest of {n}", "{n}개 중 최댓값"],
  "stage.mean": ["sum ÷ {n}", "합 ÷ {n}"],
  "stage.conv": ["× weight, then sum", "× 가중치, 모두 더하기"],
});

const NARROW = 560,
  KERNEL = 11; // pixels; taps a side that are drawn at most
const LABEL = 88,
  LETTER = 6.8; // pixels: what stands before the words of a label and after them, and a letter of these

export class Stage {
  /**
   * @param view {channel, input, cursor}: the output channel, the input channel, and the cell of the input that the
   *   keyboard is on, [row, column].
   * @param width pixels that there are.
   * @param on picked(step); entered(row, column) and moved(row, column) of the input; stepped(row, column) of the
   *   output.
   */
  constructor(trace, view, width, on) {
    Object.assign(this, { trace, view, on, scene: sceneOf(trace, view) });
    this.isNarrow = width < NARROW;
    this.most = this.isNarrow
      ? { input: Math.max(5, Math.floor(width / 36)), output: trace.axes[1].taps > 3 ? 3 : 5 }
      : { input: 13, output: 11 };
    this.aim(trace.at(0, view.channel, view.input));
    this.place = layout(width, this.#sizes());
    this.element = this.#draw(width);
  }

  /** Whether all of the input and of the output is drawn as stones. */
  get isWhole() {
    return [...this.lenses.input, ...this.lenses.output].every(lens => lens.whole);
  }

  /** Turns to another step: what of the maps is drawn. */
  aim(now) {
    const { trace, most, view } = this,
      at = [now.row, now.column];
    const near = now.winner ? [now.winner.row, now.winner.column] : view.cursor;
    this.now = now;
    this.lenses = {
      input: at.map((place, axis) => inputLens(trace, axis, place, most.input, near[axis])),
      output: at.map((place, axis) => outputLens(trace.size[axis], place, most.output)),
    };
  }

  /** Whether a place of the input is among the stones. */
  draws(...place) {
    return place.every((at, axis) => {
      const { first, step, number } = this.lenses.input[axis],
        index = (at - first) / step;
      return Number.isInteger(index) && index >= 0 && index < number;
    });
  }

  /** Where window and output cell of this step lie, for `frame`: {window, cell, taps} in pixels. */
  geometry() {
    const {
      now,
      lenses: { input, output },
      place: {
        pitch,
        small,
        input: [left, top],
        output: [x, y],
      },
    } = this;
    const [rows, columns] = now.spans.map(({ first, last }, axis) => along(input[axis], first, last, pitch));
    const window =
      now.taps.length === 0
        ? null
        : { x: left + columns.from, y: top + rows.from, width: columns.length, height: rows.length };
    const offset = (lens, at, first) => ((at - first) / lens.step) * pitch;
    const taps = isApart(now)
      ? now.taps.map(({ row, column }) => ({
          x: offset(input[1], column, now.spans[1].first),
          y: offset(input[0], row, now.spans[0].first),
        }))
      : [];
    const cell = { x: x + (now.column - output[1].first) * small, y: y + (now.row - output[0].first) * small };
    return { window, taps, cell: { ...cell, width: small, height: small } };
  }

  frame(geometry) {
    this.beams.place(geometry);
  }

  /** Draws the cells of this step. Phase 0: the window has moved, 1: its cells are marked, 2: the result is written. */
  paint(phase) {
    const {
      grids: { input, kernel, output },
      lenses,
      now,
      scene,
    } = this;
    input.paint(inputLook(scene, now, phase), firsts(lenses.input));
    kernel.paint(kernelLook(scene, now, phase), this.#kernelPart());
    output.paint(outputLook(scene, now, phase), firsts(lenses.output));
    input.stop(...this.view.cursor);
    output.stop(now.row, now.column);
    this.beams.use(phase > 0 && isPartial(scene, now) ? now.taps.map(({ tap }) => tap) : []);
    this.#write();
  }

  #sizes() {
    const { trace, lenses } = this,
      numbers = axes => axes.map(lens => lens.number);
    const taps = trace.axes.map(({ taps }, axis) =>
      taps > KERNEL ? Math.min(KERNEL, lenses.input[axis].number) : taps,
    );
    return { input: numbers(lenses.input), kernel: taps, output: numbers(lenses.output) };
  }

  #draw(width) {
    const { place, labels } = Object.assign(this, { grids: this.#grids(), labels: this.#labels() });
    const [rows, columns] = this.#sizes().kernel,
      [x, y] = place.kernel,
      { pitch, small } = place;
    this.beams = new Beams({ x, y, width: columns * small, height: rows * small }, pitch, small);
    this.caption = svg("text", { class: "stage-caption", x: x + (columns * small) / 2, y: y + rows * small + 20 });
    const parts = Object.keys(labels).flatMap(name => [labels[name].element, this.grids[name].element]);
    return svg(
      "svg",
      { class: "stage", viewBox: `0 0 ${width} ${place.height}`, width, height: place.height },
      svg("defs", {}, hatch()),
      this.beams.under,
      ...parts,
      this.caption,
      this.beams.over,
    );
  }

  #grids() {
    const { place, on, trace, view } = this,
      sizes = this.#sizes(),
      small = [place.small, place.smallGap];
    const grid = (name, word, [pitch, gap], channel, does) => {
      const [[rows, columns], [x, y]] = [sizes[name], place[name]];
      const look = { label: say(word), x, y, pitch, gap, channel, focusable: name !== "kernel" };
      return new Stones({ name, rows, columns, ...look }, does);
    };
    const input = { picked: on.entered, entered: on.entered, moved: on.moved };
    const output = { picked: (row, column) => on.picked(row * trace.size[1] + column), moved: on.stepped };
    return {
      input: grid("input", "words.input", [place.pitch, place.gap], view.input, input),
      kernel: grid("kernel", middleOf(trace), small, trace.weighted ? view.input : null, {}),
      output: grid("output", "words.output", small, view.channel, output),
    };
  }

  #labels() {
    const { place, trace } = this;
    return {
      input: label(place.input, "in", "words.input"),
      kernel: label(place.kernel, "frame", middleOf(trace)),
      output: label(place.output, "out", "words.output"),
    };
  }

  /** The part of a kernel that is drawn where it has more taps than fit. */
  #kernelPart() {
    const [firstRow, firstColumn] = this.trace.axes.map(({ taps }, axis) => {
      const { first, number } = this.lenses.input[axis];
      return taps > KERNEL ? Math.max(0, Math.min(taps - number, first - this.now.spans[axis].first)) : 0;
    });
    return { firstRow, firstColumn };
  }

  #write() {
    const { trace, lenses, labels, now, place } = this,
      [, ...sides] = trace.shape;
    const taps = trace.weighted
      ? trace.layer.kernel
      : now.spans.map(({ places }) => places.filter(one => one !== null).length);
    const room = this.isNarrow ? 0 : place.kernel[0] - place.input[0] - LABEL;
    labels.input.write(sized(lenses.input, sides, trace.layer, room));
    labels.kernel.write(taps.join(" × "));
    labels.output.write(trace.size.join(" × "));
    this.caption.textContent = say(`stage.${trace.weighted ? "conv" : trace.kind}`, {
      n: now.count ?? now.taps.length,
    });
  }
}

/** What stands between input and output. */
const middleOf = trace => (trace.weighted ? "stage.kernel" : "stage.window");

/** Where a span lies along a lens, cut to it: {from, length} in pixels. */
function along({ first, step, number }, from, to, pitch) {
  const start = Math.max(0, (from - first) / step),
    end = Math.min(number, (to - first) / step + 1);
  return { from: start * pitch, length: (end - start) * pitch };
}

function firsts([rows, columns]) {
  return { firstRow: rows.first, firstColumn: columns.first, rowStep: rows.step, columnStep: columns.step };
}

/** The words above a grid: its swatch, name, and what `write` is given. */
function label([x, y], role, word) {
  const swatch =
    role === "frame"
      ? svg("rect", { class: "stage-swatch", x: x + 4, y: y - 24.5, width: 10, height: 10, rx: 3 })
      : svg("rect", { x: x + 3, y: y - 25, width: 12, height: 12, rx: 3, fill: `var(--${role})` });
  const size = svg("tspan", { class: "stage-size" });
  const text = svg("text", { class: "stage-label", x: x + 21, y: y - 14 }, say(word), " ", size);
  return {
    element: svg("g", {}, swatch, text),
    write: words => {
      size.textContent = words;
    },
  };
}

/** `5 × 5 + padding 1`, or which part of a map is drawn; of which map, where there is room for it, in pixels. */
function sized(lenses, sides, layer, room) {
  const size = sides.join(" × "),
    range = ({ first, step, number }) => `${first + 1}–${first + (number - 1) * step + 1}`;
  if (!lenses.every(lens => lens.whole)) {
    const [rows, columns] = lenses.map(range).map(text => text.replace(/^-/, "−"));
    const whole = say("stage.part", { rows, columns, size });
    return whole.length * LETTER < room ? whole : say("stage.rows", { rows, columns });
  }
  const around = layer.type === "upconv" ? [] : [...new Set((layer.padding ?? []).flat())];
  const isPadded = around.some(pad => pad > 0);
  return isPadded ? say("stage.padding", { size, padding: around.join(", ") }) : size;
}
