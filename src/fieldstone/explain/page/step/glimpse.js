// What there is to see of a layer whose numbers this file has left out: its maps, whole or every so many cells.

import { Chooser } from "fieldstone/channels";
import { html } from "fieldstone/elements";
import { CanvasMap } from "fieldstone/lens";
import { known } from "fieldstone/maps";
import { lifted } from "fieldstone/parts";
import { addWords, say } from "fieldstone/words";

addWords({
  "glimpse.sparse": ["every {step}th row and column", "{step}행·열마다 하나씩"],
  "glimpse.none": ["Nothing of this map is in this file.", "이 맵은 이 파일에 전혀 없습니다."],
});

/** The two maps of a block, a promise of elements; `close` ends what they watch. */
export async function glimpse(store, block) {
  const sides = [
    new Side("input", await known(store, block.sources[0])),
    new Side("output", await known(store, block.path)),
  ];
  return { elements: sides.map(side => side.element), close: () => sides.forEach(side => side.close()) };
}

class Side {
  constructor(name, made) {
    Object.assign(this, { name, made });
    this.element = html("div", { class: "glimpse-side" }, html("h2", {}, say(`words.${name}`)));
    if (made) this.#show(0);
    else this.element.append(html("p", {}, say("glimpse.none")));
  }

  close() {
    this.chooser?.close();
  }

  #show(chosen) {
    const {
        name,
        made: { data, shape, step },
        element,
      } = this,
      [channels, height, width] = lifted(shape);
    const plane = channel => ({
      height,
      width,
      values: data.subarray(channel * height * width, (channel + 1) * height * width),
    });
    this.close();
    this.chooser =
      channels > 1
        ? new Chooser({
            name,
            channels: Array.from({ length: channels }, (_, at) => at),
            chosen,
            plane,
            width: 320,
            words: say(`channels.${name}`, { channel: chosen + 1, n: channels }),
            opened: () => {},
            picked: channel => this.#pick(channel),
          })
        : null;
    const map = new CanvasMap({ name, label: say(`words.${name}`), ...plane(chosen) });
    element.replaceChildren(
      element.firstChild,
      this.chooser?.element ?? "",
      map.element,
      step > 1 ? html("p", {}, say("glimpse.sparse", { step })) : "",
    );
  }

  #pick(channel) {
    this.#show(channel);
    this.chooser.focus();
  }
}
