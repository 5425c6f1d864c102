// What if an option of a pooling were on, or off: switches, and what each of them comes to here.

import { html } from "fieldstone/elements";
import { isDropped, outputSize, overhang } from "fieldstone/layers";
import { changed, refusal, switchable } from "fieldstone/limits";
import { addWords, say } from "fieldstone/words";

addWords({
  "switches.ceil_mode": ["Round the size up", "출력 크기 올림"],
  "switches.count_include_pad": ["Count padding", "패딩도 세기"],
  "switches.true": ["was on", "원래 켬"],
  "switches.false": ["was off", "원래 끔"],
  "switches.needed": [
    "Not off: rounded down, no window would fit into the map.",
    "끌 수 없음: 내리면 맵에 들어가는 윈도우가 없음.",
  ],
  "switches.even": ["Up or down, the size is the same.", "올리든 내리든 크기가 같습니다."],
  "switches.dropped": [
    "One window less (− 1): it would begin behind the map, and PyTorch leaves it out.",
    "윈도우 하나를 뺍니다(− 1). 맵 뒤에서 시작하는 윈도우는 PyTorch가 버립니다.",
  ],
  "switches.hangs": [
    "The last window hangs over the edge by rows: {rows}, columns: {columns}. Nothing is read or counted there.",
    "마지막 윈도우가 가장자리를 {rows}행, {columns}열 넘습니다. 그 칸은 읽지도 세지도 않습니다.",
  ],
  "switches.unpadded": ["Without padding it changes nothing.", "패딩이 없으면 달라지는 것이 없습니다."],
});

export class Switches {
  /**
   * @param layer as the network has it, on a map of these sides, [height, width].
   * @param turned is called with {name: true or false}.
   */
  constructor(layer, sides, turned) {
    Object.assign(this, { layer, sides, turned });
    const names = switchable(layer).length ? switchable({ type: "avgpool" }) : []; // a max pooling may become one
    this.rows = Object.fromEntries(names.map(name => [name, this.#row(name)]));
  }

  get elements() {
    return Object.values(this.rows).map(row => row.element);
  }

  /** Shows where they stand in a changed layer. */
  write(layer) {
    for (const [name, row] of Object.entries(this.rows)) {
      row.element.hidden = !switchable(layer).includes(name);
      if (!row.element.hidden) this.#write(name, row, layer);
    }
  }

  #row(name) {
    const id = `whatif-${name}`,
      input = html("input", { type: "checkbox", role: "switch", id, "aria-describedby": `${id}-was ${id}-note` });
    const label = html("label", { for: id }, say(`switches.${name}`), html("i", {}, name)),
      was = html("span", { class: "whatif-was", id: `${id}-was` }),
      note = html("small", { id: `${id}-note` });
    input.addEventListener("change", () => this.turned({ [name]: input.checked }));
    const element = html("div", { class: "whatif-row switches-row" }, label, was, input, note);
    return { element, label, input, was, note };
  }

  #write(name, { label, input, was, note }, layer) {
    const text = textOf(layer, name),
      network = textOf(this.layer, name);
    const other = refusal(changed(layer, { [name]: text === "false" }), this.sides);
    Object.assign(input, { checked: text === "true", disabled: other !== null });
    label.classList.toggle("whatif-changed", text !== network);
    was.textContent = text === network ? "" : say(`switches.${network}`);
    note.textContent = other ? say("switches.needed") : NOTES[name](layer, this.sides);
  }
}

const NOTES = {
  ceil_mode: (layer, sides) => {
    const [up, down] = [true, false].map(isUp => outputSize({ ...layer, ceil_mode: isUp }, sides));
    if (!layer.ceil_mode) return up.join() === down.join() ? say("switches.even") : "";
    const [rows, columns] = overhang(layer, sides);
    if (rows + columns > 0) return say("switches.hangs", { rows, columns });
    return say(sides.some((size, axis) => isDropped(layer, size, axis)) ? "switches.dropped" : "switches.even");
  },
  count_include_pad: ({ padding }) => (padding.flat().every(pad => pad === 0) ? say("switches.unpadded") : ""),
};

/** What a layer has, as it is written: one number where both axes agree; of what is on or off `true` or `false`. */
export function textOf(layer, key) {
  const value = key === "padding" ? layer.padding.flat() : layer[key] ?? true; // torch counts padding unless told not to
  return Array.isArray(value) ? [...new Set(value)].join(key === "padding" ? ", " : " × ") : String(value);
}
