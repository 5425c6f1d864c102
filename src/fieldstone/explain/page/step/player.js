// The step view's stage with all that goes with a step: channels, maps, arithmetic, transport and keys.

import { difference, gradient, line, sentence, sumLine } from "fieldstone/arithmetic";
import { Bars } from "fieldstone/channels";
import { choosersOf } from "fieldstone/choice";
import { html } from "fieldstone/elements";
import { legend } from "fieldstone/legend";
import { CanvasMap } from "fieldstone/lens";
import { Stage } from "fieldstone/stage";
import { Transport } from "fieldstone/transport";
import { addWords, say } from "fieldstone/words";

addWords({
  "player.input": ["Input, the whole map", "입력, 전체 맵"],
  "player.output": ["Output, the whole map", "출력, 전체 맵"],
  "player.map": ["{name}, {rows} × {columns}", "{name}, {rows} × {columns}"],
});

export class Player {
  #sized = new ResizeObserver(() => this.#resized());
  #width = 0;
  #redraw = () => this.#rebuild();

  /** @param root the section it fills; state: {step, channel, input, speed, cursor, open}; notes: above it all. */
  constructor(root, state, notes) {
    Object.assign(this, { root, state, notes });
    root.addEventListener("keydown", this.#pressed);
    document.addEventListener("themechange", this.#redraw);
    this.#sized.observe(root);
  }

  close() {
    this.#sized.disconnect();
    this.transport?.close();
    this.choosers?.forEach(chooser => chooser.close());
    document.removeEventListener("themechange", this.#redraw);
  }

  /** Shows another trace; `arrays` are those of the network, whose maps the channels are chosen by. */
  show(trace, arrays) {
    Object.assign(this, { trace, arrays });
    this.#rebuild();
  }

  #resized() {
    if (this.trace && Math.abs(this.root.clientWidth - this.#width) > 1) this.#rebuild();
  }

  /** Draws everything anew: of another channel, width or theme. */
  #rebuild(focus = null) {
    this.transport?.close();
    this.choosers?.forEach(chooser => chooser.close());
    this.#width = this.root.clientWidth;
    if (this.#width === 0) return; // not shown: drawn once it has a width
    this.#settle();
    const { trace, state } = this,
      width = this.#width - (this.#width < 620 ? 24 : 64);
    this.stage = new Stage(trace, state, width, this.#ways());
    this.maps = this.stage.isWhole ? {} : this.#maps();
    this.choosers = choosersOf(trace, state, this.arrays, width, { picked: this.#choose, opened: this.#open });
    this.bars =
      trace.weighted && trace.channelsOf(state.channel).length > 1
        ? new Bars(channel => this.#choose("input", channel))
        : null;
    this.transport = new Transport(state, trace.steps, this.#motion());
    this.#place();
    this.#turn(state.step);
    this.stage.frame(this.stage.geometry());
    this.#paint(2);
    if (focus) this.choosers.find(chooser => chooser.name === focus)?.focus();
  }

  /** Keeps the chosen channels among those that there are. */
  #settle() {
    const { trace, state } = this;
    state.channel = Math.min(state.channel, trace.filters - 1);
    const channels = trace.channelsOf(state.channel);
    if (!channels.includes(state.input)) state.input = channels[0];
  }

  #place() {
    const { stage, choosers, maps, bars } = this;
    this.read = {
      sentence: html("p", { class: "player-sentence", "aria-live": "polite" }),
      line: html("div", { class: "arithmetic" }),
      sum: html("div", { class: "arithmetic", hidden: !bars }),
      gradient: html("p", { class: "player-gradient" }),
      differs: html("p", { class: "player-differs", role: "note" }),
    };
    const { sentence, line, sum, gradient, differs } = this.read,
      sides = ["both", "input", "output"].map(name =>
        [...choosers.filter(chooser => chooser.name === name), ...(maps[name] ? [maps[name]] : [])].map(
          part => part.element,
        ),
      );
    this.root.replaceChildren(
      ...this.notes,
      html(
        "div",
        { class: "player-maps", hidden: sides.flat().length === 0 },
        ...sides
          .filter(side => side.length)
          .map(side =>
            html(
              "div",
              { class: choosers[0]?.name === "both" && side === sides[0] ? "player-both" : "player-side" },
              ...side,
            ),
          ),
      ),
      readable(html("div", { class: "player-stage" }, stage.element)),
      legend(stage.scene),
      html("div", { class: "player-read" }, sentence, line, bars?.element ?? "", sum, differs, gradient),
      this.transport.element,
    );
  }

  /** The whole maps on canvases, where the stones show only a part. */
  #maps() {
    const { trace, state } = this,
      [, height, width] = trace.shape,
      [rows, columns] = trace.size;
    const map = (name, values, height, width, picked) =>
      new CanvasMap({
        name,
        values,
        height,
        width,
        picked,
        side: this.#width < 620 ? (this.#width - 40) / 2 : undefined,
        label: say("player.map", { name: say(`player.${name}`), rows: height, columns: width }),
      });
    return {
      input: map("input", trace.plane(state.input), height, width, (row, column) => this.#cover(row, column)),
      output: map("output", trace.output(state.channel), rows, columns, (row, column) =>
        this.transport.go(row * columns + column),
      ),
    };
  }

  #ways() {
    const { trace } = this,
      grid = name => this.stage.grids[name];
    return {
      picked: step => {
        this.transport.go(step);
        grid("output").focus(this.now.row, this.now.column);
      },
      entered: (row, column) => {
        this.#point(row, column);
        this.#cover(row, column);
      },
      moved: (row, column) => this.#point(row, column),
      stepped: (row, column) => {
        const at = [row, column].map((place, axis) => Math.max(0, Math.min(trace.size[axis] - 1, place)));
        this.transport.go(at[0] * trace.size[1] + at[1]);
        grid("output").focus(...at);
      },
    };
  }

  /** Moves the cursor of the input; beyond what is drawn, the window comes along. */
  #point(row, column) {
    const { stage, state } = this,
      isDrawn = stage.draws(row, column);
    if (!isDrawn && this.trace.covering(row, column) < 0) return;
    state.cursor = [row, column];
    if (!isDrawn) this.#cover(row, column);
    stage.grids.input.focus(row, column);
  }

  /** Goes to the first window that reads a place of the input. */
  #cover(row, column) {
    const step = this.trace.covering(row, column);
    if (step >= 0) this.transport.go(step);
  }

  #motion() {
    return {
      moved: step => this.#turn(step),
      placed: (share, from) => this.stage.frame(between(from, this.stage.geometry(), share)),
      painted: phase => this.#paint(phase),
      ended: () => this.read.sentence.setAttribute("aria-live", "polite"),
    };
  }

  /** Turns to a step; returns where window and cell were, null at first. */
  #turn(step) {
    const before = this.now ? this.stage.geometry() : null;
    this.state.step = step;
    this.now = this.trace.at(step, this.state.channel, this.state.input);
    this.stage.aim(this.now);
    return before;
  }

  #paint(phase) {
    const { now, stage, trace, state, read, maps, bars } = this;
    stage.paint(phase);
    maps.input?.frame(now.taps.length ? now.spans.map(({ first, last }) => [first, last]) : null);
    maps.output?.frame([
      [now.row, now.row],
      [now.column, now.column],
    ]);
    read.line.replaceChildren(...line(trace, now, state.input, phase));
    if (bars) {
      bars.write(now.sums, state.input);
      read.sum.replaceChildren(...sumLine(now, phase));
    }
    if (phase === 2) this.#say(sentence(trace, now));
  }

  #say(text) {
    const { now, read, root, trace, state, transport } = this;
    read.sentence.setAttribute("aria-live", transport.isPlaying ? "off" : "polite");
    read.sentence.textContent = text;
    read.gradient.textContent = gradient(trace, now);
    read.differs.textContent = difference(now);
    transport.write(text);
    Object.assign(root.dataset, { step: state.step, steps: trace.steps, channel: state.channel, input: state.input });
  }

  #choose = (name, channel) => {
    this.state[name === "input" ? "input" : "channel"] = channel; // of pooling they are one
    this.#rebuild(name);
  };

  #open = (name, isOpen) => {
    this.state.open[name] = isOpen;
    this.#rebuild();
    this.root.querySelector(`[data-channels=${name}] .channels-more`)?.focus();
  };

  #pressed = event => {
    if (event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const { transport, state, trace } = this,
      isButton = event.target.matches("button");
    const does = {
      ArrowLeft: () => transport.go(state.step - 1),
      ArrowRight: () => transport.go(state.step + 1),
      Home: () => transport.go(0),
      End: () => transport.go(trace.steps - 1),
      " ": isButton ? null : () => transport.toggle(),
      "+": () => transport.faster(1),
      "-": () => transport.faster(-1),
      "−": () => transport.faster(-1),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
    if (event.target.closest("[data-grid=output]")) this.stage.grids.output.focus(this.now.row, this.now.column);
  };
}

/** Adds the line that reads the stone under pointer or focus exactly; a screen reader has its label. */
function readable(stage) {
  const element = html("p", { class: "player-readout", "aria-hidden": "true" });
  const show = ({ target }) => {
    const { row, column, value } = target.closest(".grid-stone")?.dataset ?? {};
    const words = { row: Number(row) + 1, column: Number(column) + 1, value: value?.replaceAll("-", "−") };
    if (value !== undefined) element.textContent = value === "" ? "" : say("lens.cell", words);
  };
  for (const event of ["pointerover", "focusin"]) stage.addEventListener(event, show);
  stage.append(element);
  return stage;
}

/** A geometry between two: of the window and the cell; the taps are those of the second. */
function between(from, to, share) {
  const mix = (one, other) =>
    one &&
    other &&
    Object.fromEntries(Object.entries(other).map(([key, value]) => [key, one[key] + (value - one[key]) * share]));
  return from && share < 1
    ? { ...to, window: mix(from.window, to.window) ?? to.window, cell: mix(from.cell, to.cell) }
    : to;
}
