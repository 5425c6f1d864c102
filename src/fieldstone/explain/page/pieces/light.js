// A map of shares laid over an image as light: where it is 0 the image fades into the page, half is drawn as a line.

import { pixels } from "fieldstone/colours";

const faded = 0.75; // of the image, where the map is 0

/** The value of a map of `width` × `height` values at a place of the image, 0 to 1 each way; between values in line. */
export function sampler(values, height, width) {
  const at = (place, size) => Math.max(0, Math.min(size - 1, place * size - 0.5));
  return (down, across) => {
    const [y, x] = [at(down, height), at(across, width)], [top, left] = [Math.floor(y), Math.floor(x)];
    const [bottom, right] = [Math.min(height - 1, top + 1), Math.min(width - 1, left + 1)];
    const along = (from, to, share) => from + (to - from) * share;
    const row = line => along(values[line * width + left], values[line * width + right], x - left);
    return along(row(top), row(bottom), y - top);
  };
}

/** Draw the image on a canvas, lit by a sampler of shares 0..1. */
export function lit(canvas, image, sample) {
  const { width, height } = canvas, context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingEnabled = image.naturalWidth > 128;
  context.drawImage(image, 0, 0, width, height);
  const drawn = context.getImageData(0, 0, width, height), paper = paperColour();
  for (let y = 0, at = 0; y < height; y++) for (let x = 0; x < width; x++, at += 4) {
    const share = faded * (1 - Math.max(0, Math.min(1, sample((y + 0.5) / height, (x + 0.5) / width))));
    for (let part = 0; part < 3; part++) drawn.data[at + part] += (paper[part] - drawn.data[at + part]) * share;
  }
  context.putImageData(drawn, 0, 0);
}

/** Draw a signed map on a canvas, about 0. */
export function plain(canvas, sample, most) {
  const { width, height } = canvas, values = new Float32Array(width * height);
  for (let at = 0; at < values.length; at++)
    values[at] = sample((Math.floor(at / width) + 0.5) / height, ((at % width) + 0.5) / width);
  canvas.getContext("2d").putImageData(pixels(values, width, height, { most, signed: true }), 0, 0);
}

/** The line along which a sampler has a value, as an SVG path in a box of 100 × 100: marching squares. */
export function contour(sample, level, cells = 96) {
  const parts = [], corner = index => index / cells;
  for (let row = 0; row < cells; row++) for (let column = 0; column < cells; column++) {
    const corners = [[row, column], [row, column + 1], [row + 1, column + 1], [row + 1, column]];
    const values = corners.map(([down, across]) => sample(corner(down), corner(across)) - level);
    const cuts = [];
    for (let side = 0; side < 4; side++) {
      const next = (side + 1) % 4;
      if (values[side] < 0 === values[next] < 0) continue;
      cuts.push(point(between(corners[side], corners[next], values[side], values[next]), cells));
    }
    for (let cut = 0; cut + 1 < cuts.length; cut += 2) parts.push(`M${cuts[cut]}L${cuts[cut + 1]}`);
  }
  return parts.join("");
}

const between = (one, other, from, to) => one.map((place, axis) => place + (other[axis] - place) * from / (from - to));
const point = ([down, across], cells) => `${(100 * across / cells).toFixed(2)},${(100 * down / cells).toFixed(2)}`;

function paperColour() {
  const text = getComputedStyle(document.documentElement).getPropertyValue("--paper").trim();
  return [1, 3, 5].map(at => parseInt(text.slice(at, at + 2), 16));
}
