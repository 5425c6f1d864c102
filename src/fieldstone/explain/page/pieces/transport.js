// Play, pause, step, scrub and speed; and the motion from one step to the next.

import { html } from "fieldstone/elements";
import { svg } from "fieldstone/grid";
import { addWords, say } from "fieldstone/words";

addWords({
  "transport.step": ["Step", "단계"],
  "transport.play": ["Play", "재생"],
  "transport.pause": ["Pause", "일시정지"],
  "transport.previous": ["Previous step", "이전 단계"],
  "transport.next": ["Next step", "다음 단계"],
  "transport.first": ["First step", "처음"],
  "transport.last": ["Last step", "끝"],
  "transport.speed": ["Speed", "속도"],
});

const SPEEDS = [0.5, 1, 2, 4];
const MOVE = 240,
  LEAST = 90,
  MARK = 420,
  WRITE = 520,
  STILL = 1200; // milliseconds
const ICONS = {
  first: "M4 4h2v12H4zM16 4.6v10.8L7.5 10z",
  previous: "M14.5 4.2v11.6L5.5 10z",
  next: "M5.5 4.2v11.6l9-5.8z",
  last: "M14 4h2v12h-2zM4 4.6v10.8L12.5 10z",
  play: "M6.5 3.8v12.4L16.5 10z",
  pause: "M5 4h3.6v12H5zM11.4 4H15v12h-3.6z",
};

/** Whether the reader wants nothing to move. */
function isStill() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

export class Transport {
  #timers = [];
  #frame = 0;
  isPlaying = false;

  /**
   * @param state {step, speed}, kept by the caller.
   * @param on moved(step): turn to it, returns where the window was, null at first; placed(share, from): draw it on
   *   its way from there; painted(phase): draw the cells; ended(): the playing is over.
   */
  constructor(state, steps, on) {
    Object.assign(this, { state, steps, on });
    this.buttons = Object.fromEntries(
      ["first", "previous", "play", "next", "last"].map(name => [name, this.#button(name)]),
    );
    this.scrubber = html("input", {
      type: "range",
      class: "transport-scrubber",
      min: 1,
      max: steps,
      "aria-label": say("transport.step"),
    });
    this.scrubber.addEventListener("input", () => this.go(Number(this.scrubber.value) - 1));
    this.count = html("span", { class: "transport-count" });
    this.speed = this.#speed();
    this.element = html(
      "div",
      { class: "transport", role: "group", "aria-label": say("transport.step") },
      ...Object.values(this.buttons),
      this.scrubber,
      this.count,
      this.speed,
    );
  }

  /** By hand: moves and writes at once. */
  go(step) {
    this.stop();
    this.#turn(step, () => this.on.painted(2));
  }

  toggle() {
    if (this.isPlaying) return this.stop();
    this.isPlaying = true;
    this.#mark();
    this.#play(this.state.step >= this.steps - 1 ? 0 : this.state.step + 1);
  }

  /** Ends motion and playing; what was under way is written. */
  stop() {
    const wasPlaying = this.isPlaying,
      isUnderWay = this.#frame || this.#timers.length;
    this.close();
    this.isPlaying = false;
    this.#mark();
    if (isUnderWay) this.on.painted(2);
    if (wasPlaying) this.on.ended();
  }

  /** Takes back what is yet to come. */
  close() {
    cancelAnimationFrame(this.#frame);
    this.#timers.forEach(clearTimeout);
    [this.#frame, this.#timers] = [0, []];
  }

  faster(by) {
    this.state.speed = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, SPEEDS.indexOf(this.state.speed) + by))];
    this.speed.value = this.state.speed;
  }

  /** Writes where it stands; `text` is what a screen reader hears of the scrubber. */
  write(text) {
    const {
      state: { step },
      steps,
      scrubber,
      buttons,
    } = this;
    scrubber.value = step + 1;
    scrubber.style.setProperty("--v", `${steps > 1 ? (step / (steps - 1)) * 100 : 100}%`);
    scrubber.setAttribute("aria-valuetext", `${say("transport.step")} ${step + 1} / ${steps}. ${text}`);
    this.count.replaceChildren(
      html("span", {}, `${say("transport.step")} `),
      html("b", {}, String(step + 1)),
      ` / ${steps}`,
    );
    for (const name of ["first", "previous"]) disable(buttons[name], step === 0);
    for (const name of ["next", "last"]) disable(buttons[name], step === steps - 1);
    this.#mark();
  }

  #play(step) {
    const { speed } = this.state;
    this.#turn(step, () => {
      if (isStill()) return this.#written(STILL / speed);
      this.on.painted(1);
      this.#later(MARK / speed, () => this.#written(WRITE / speed));
    });
  }

  #written(pause) {
    this.on.painted(2);
    this.#later(pause, () => (this.state.step >= this.steps - 1 ? this.stop() : this.#play(this.state.step + 1)));
  }

  #later(milliseconds, then) {
    this.#timers = [
      setTimeout(() => {
        this.#timers = [];
        then();
      }, milliseconds),
    ];
  }

  /** Moves the window to a step, then goes on. */
  #turn(step, then) {
    const from = this.on.moved((this.state.step = Math.max(0, Math.min(this.steps - 1, step))));
    if (isStill() || !from) {
      this.on.placed(1, from);
      return then();
    }
    this.on.painted(0);
    const start = performance.now(),
      length = Math.max(LEAST, MOVE / this.state.speed);
    const draw = time => {
      const share = Math.max(0, Math.min(1, (time - start) / length));
      this.on.placed(1 - (1 - share) ** 3, from);
      this.#frame = share < 1 ? requestAnimationFrame(draw) : 0;
      if (share === 1) then();
    };
    this.#frame = requestAnimationFrame(draw);
  }

  #button(name) {
    const does = {
      first: () => this.go(0),
      previous: () => this.go(this.state.step - 1),
      play: () => this.toggle(),
      next: () => this.go(this.state.step + 1),
      last: () => this.go(this.steps - 1),
    };
    const words = say(`transport.${name}`),
      button = html(
        "button",
        { type: "button", class: `transport-${name}`, "aria-label": words, title: words },
        icon(name),
      );
    button.addEventListener("click", () => button.getAttribute("aria-disabled") !== "true" && does[name]());
    return button;
  }

  #mark() {
    const { play } = this.buttons,
      name = this.isPlaying ? "pause" : "play";
    play.replaceChildren(icon(name));
    play.setAttribute("aria-label", say(`transport.${name}`));
    play.title = say(`transport.${name}`);
  }

  #speed() {
    const options = SPEEDS.map(speed =>
      html("option", { value: speed, selected: speed === this.state.speed }, `${speed}×`),
    );
    const select = html("select", { class: "transport-speed", "aria-label": say("transport.speed") }, ...options);
    select.addEventListener("change", () => {
      this.state.speed = Number(select.value);
    });
    return select;
  }
}

function icon(name) {
  return svg("svg", { viewBox: "0 0 20 20", "aria-hidden": true }, svg("path", { d: ICONS[name] }));
}

/** A button that keeps its focus when it comes to the end. */
function disable(button, isDisabled) {
  button.setAttribute("aria-disabled", isDisabled);
}
