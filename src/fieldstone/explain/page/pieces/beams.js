// What lies over and under the stones of a step: the frame of the window, of each tap that lies apart, and the beams
// from window to kernel to output cell. All of it is for eyes alone.

import { svg } from "fieldstone/grid";

export class Beams {
  #beams = [0, 1].map(() => [svg("path", { class: "beams-beam" }), svg("path", { class: "beams-ray" })]);
  #window = svg("g");
  #used = svg("g");

  /** @param kernel {x, y, width, height} of the grid in the middle; pitch of the input; small, the kernel's pitch. */
  constructor(kernel, pitch, small) {
    Object.assign(this, { kernel, pitch, small });
    this.under = svg("g", { "aria-hidden": true }, ...this.#beams.flat());
    this.over = svg(
      "g",
      { "aria-hidden": true, "pointer-events": "none" },
      svg("rect", { class: "beams-frame", ...kernel, rx: 10 }),
      this.#used,
      this.#window,
    );
  }

  /**
   * @param window {x, y, width, height}, null where nothing is read; cell: that of the output.
   * @param taps the corners {x, y} of the taps that lie apart, from the window's corner.
   */
  place({ window, cell, taps }) {
    const { kernel, pitch } = this,
      inner = { x: cell.x + 4, y: cell.y + 4, width: cell.width - 8, height: cell.height - 8 };
    const frame = window && svg("rect", { class: taps.length ? "beams-extent" : "beams-frame", ...window, rx: 11 });
    const single = ({ x, y }) => square(window.x + x, window.y + y, pitch);
    this.#window.replaceChildren(...(window ? [frame, ...taps.map(single)] : []));
    drawBeam(this.#beams[0], window, kernel);
    drawBeam(this.#beams[1], kernel, inner);
  }

  /** Frames taps of the kernel, [row, column] each. */
  use(taps) {
    const { x, y } = this.kernel,
      { small } = this;
    this.#used.replaceChildren(...taps.map(([row, column]) => square(x + column * small, y + row * small, small)));
  }
}

function square(x, y, pitch) {
  return svg("rect", {
    class: "beams-tap",
    x: x + 1,
    y: y + 1,
    width: pitch - 2,
    height: pitch - 2,
    rx: Math.min(9, pitch / 5),
  });
}

/** A beam, two paths, to a rectangle beside; of one below only the rays; from null none. */
export function drawBeam([beam, ray], from, to) {
  if (!from) return [beam, ray].forEach(path => path.setAttribute("d", ""));
  const [left, right, top, bottom] = [from.x, from.x + from.width, from.y, from.y + from.height];
  const [start, end, above, below] = [to.x, to.x + to.width, to.y, to.y + to.height];
  if (start < right) {
    beam.setAttribute("d", "");
    return ray.setAttribute(
      "d",
      `M${left + 4},${bottom - 3}L${start + 4},${above + 3}M${right - 4},${bottom - 3}L${end - 4},${above + 3}`,
    );
  }
  beam.setAttribute("d", `M${right},${top + 4}L${start},${above + 4}L${start},${below - 4}L${right},${bottom - 4}Z`);
  ray.setAttribute(
    "d",
    `M${right - 3},${top + 4}L${start + 3},${above + 4}M${right - 3},${bottom - 4}L${start + 3},${below - 4}`,
  );
}
