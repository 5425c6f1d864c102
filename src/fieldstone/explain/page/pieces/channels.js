// Which channel is shown: a strip of small maps to choose from; and what each input channel brings to a sum, as bars.

import { pixels, scaleOf } from "fieldstone/colours";
import { button, html } from "fieldstone/elements";
import { exact, term } from "fieldstone/numbers";
import { addWords, say } from "fieldstone/words";

addWords({
  "channels.one": ["Channel {channel} of {n}", "채널 {channel} / {n}"],
  "channels.input": ["Input channel {channel} of {n}", "입력 채널 {channel} / {n}"],
  "channels.output": ["Output channel {channel} of {n}", "출력 채널 {channel} / {n}"],
  "channels.group": ["Input channel {channel} of {n}, group {group}", "입력 채널 {channel} / {n}, 그룹 {group}"],
  "channels.name": ["channel {channel}", "채널 {channel}"],
  "channels.more": ["+{n}", "+{n}"],
  "channels.all": ["Show all {n} channels", "채널 {n}개 모두 보기"],
  "channels.few": ["Fewer", "접기"],
  "channels.sums": ["Sum of each input channel", "입력 채널별 합"],
  "channels.others": ["{n} others", "나머지 {n}개"],
});

const PITCH = 48,
  BARS = 8;

export class Chooser {
  #seen = new IntersectionObserver(found => this.#appeared(found), { rootMargin: "100px" });

  /**
   * @param choice {name ("input", "output", or "both" of pooling), words, channels, chosen, width in pixels, isOpen
   *   (false), opened(isOpen), plane(channel): {values, height, width} or null, picked(channel)}.
   */
  constructor(choice) {
    Object.assign(this, { isOpen: false, ...choice });
    this.strip = html("div", { class: "channels-strip", role: "radiogroup", "aria-label": this.words });
    this.element = html(
      "div",
      { class: "channels", "data-channels": this.name },
      html("div", { class: "channels-label" }, this.words),
      this.strip,
    );
    this.strip.addEventListener("keydown", event => this.#pressed(event));
    this.#fill();
  }

  close() {
    this.#seen.disconnect();
  }

  focus() {
    this.strip.querySelector("[aria-checked=true]").focus();
  }

  #fill() {
    const fit = Math.max(1, Math.floor((this.width - 72) / PITCH)),
      { channels, chosen } = this;
    const isLong = channels.length > fit + 1,
      start = Math.max(0, channels.indexOf(chosen) - fit + 1);
    const shown = this.isOpen || !isLong ? channels : channels.slice(start, start + fit);
    this.strip.replaceChildren(...shown.map(channel => this.#map(channel)));
    if (isLong) this.element.append(this.#opener(channels.length - shown.length));
    this.strip.classList.toggle("channels-open", this.isOpen);
  }

  #opener(hidden) {
    const words = this.isOpen ? say("channels.few") : say("channels.more", { n: hidden });
    const label = this.isOpen ? words : say("channels.all", { n: this.channels.length });
    return button(words, () => this.opened(!this.isOpen), {
      class: "channels-more",
      "aria-label": label,
      "aria-expanded": String(this.isOpen),
    });
  }

  #map(channel) {
    const isChosen = channel === this.chosen;
    const map = html(
      "button",
      {
        type: "button",
        class: "channels-map",
        role: "radio",
        "aria-checked": String(isChosen),
        tabindex: isChosen ? 0 : -1,
        "aria-label": say("channels.name", { channel: channel + 1 }),
        "data-channel": channel,
      },
      html("canvas", { "aria-hidden": "true" }),
      html("span", { "aria-hidden": "true" }, String(channel + 1)),
    );
    map.addEventListener("click", () => this.picked(channel));
    this.#seen.observe(map);
    return map;
  }

  #appeared(found) {
    for (const { isIntersecting, target } of found) {
      if (!isIntersecting) continue;
      this.#seen.unobserve(target);
      const plane = this.plane(Number(target.dataset.channel));
      if (plane) paint(target.firstChild, plane);
      target.classList.toggle("channels-blank", !plane);
    }
  }

  #pressed(event) {
    const { channels, chosen } = this,
      at = channels.indexOf(chosen);
    const to = {
      ArrowLeft: at - 1,
      ArrowUp: at - 1,
      ArrowRight: at + 1,
      ArrowDown: at + 1,
      Home: 0,
      End: channels.length - 1,
      PageUp: at - 10,
      PageDown: at + 10,
    }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.picked(channels[Math.max(0, Math.min(channels.length - 1, to))]);
  }
}

function paint(canvas, { values, height, width }) {
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext("2d").putImageData(pixels(values, width, height, scaleOf(values)), 0, 0);
}

/** The sums of the input channels by size: the largest eight, and all others together. */
export class Bars {
  /** @param picked(channel): another channel is chosen. */
  constructor(picked) {
    this.rows = Array.from({ length: BARS }, () => this.#row(picked));
    this.others = html("li", { class: "channels-others" });
    this.element = html(
      "div",
      { class: "channels-sums" },
      html("p", { class: "channels-label" }, say("channels.sums")),
      html("ol", {}, ...this.rows.map(row => row.element), this.others),
    );
  }

  #row(picked) {
    const name = html("span"),
      bar = html("span"),
      value = html("span", { class: "channels-value" });
    const open = button("", () => picked(Number(open.dataset.channel)), {});
    open.append(name, html("span", { class: "channels-bar", "aria-hidden": "true" }, bar), value);
    return { element: html("li", {}, open), open, name, bar, value };
  }

  /** Shows the sums of a step: [{channel, sum}]. */
  write(sums, chosen) {
    const order = [...sums].sort((one, other) => Math.abs(other.sum) - Math.abs(one.sum)),
      most = Math.abs(order[0].sum) || 1;
    this.rows.forEach((row, at) => {
      row.element.hidden = at >= order.length;
      if (at < order.length) writeRow(row, order[at], order[at].channel === chosen, most);
    });
    const rest = order.slice(BARS),
      sum = rest.reduce((all, one) => all + one.sum, 0);
    this.others.hidden = rest.length === 0;
    this.others.replaceChildren(
      say("channels.others", { n: rest.length }),
      html("span", { class: "channels-value", "data-value": exact(sum) }, term(sum)),
    );
  }
}

function writeRow({ open, name, bar, value }, { channel, sum }, isChosen, most) {
  open.dataset.channel = channel;
  open.setAttribute("aria-pressed", String(isChosen));
  name.textContent = say("channels.name", { channel: channel + 1 });
  bar.className = sum < 0 ? "channels-minus" : "channels-plus";
  bar.style.width = `${Number.isFinite(sum) ? Math.min(100, (Math.abs(sum) / most) * 100) : 100}%`;
  value.textContent = term(sum);
  value.dataset.value = exact(sum);
}
