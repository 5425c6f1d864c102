// Colours of values: tints for stones as CSS (they follow the theme by themselves), pixels for canvases (drawn again on
// `themechange`). Every colour is a custom property of style.css.

const stops = 9; // of the map scale

/** The scale of a map, {most, signed}: 0 to its maximum, or as far to both sides of 0 if any value is negative. */
export function scaleOf(values) {
  let low = 0, high = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { most: Math.max(-low, high) || 1, signed: low < 0 };
}

/** A stone's fill by its share of the scale; `role` is in, out, pos or neg. */
export function tint(role, value, scale) {
  return `color-mix(in oklab, var(--${role}-1) ${percent(value, scale)}%, var(--${role}-0))`;
}

function percent(value, scale) {
  const share = Math.round(100 * Math.max(0, Math.min(1, Math.abs(value) / scale)));
  return Number.isNaN(share) ? 0 : share;
}

/** A stone's fill on a signed map: exact zero is `sunken`, plus and minus are `pos` and `neg`. */
export function signed(value, scale) {
  if (value === 0 || Number.isNaN(value)) return "var(--sunken)";
  return `color-mix(in oklab, var(--${value > 0 ? "pos" : "neg"}-1) ${percent(value, scale)}%, var(--sunken))`;
}

/** A stone's fill on the scale of its map. */
export function fill(role, value, scale) {
  return scale.signed ? signed(value, scale.most) : tint(role, value, scale.most);
}

/** [red, green, blue] of a share 0..1 of the map scale, on canvases. */
export function mapColour(share) {
  const at = Math.max(0, Math.min(1, share)) * (stops - 1), below = Math.min(stops - 2, Math.floor(at));
  return mixed(token(`map-${below}`), token(`map-${below + 1}`), at - below);
}

/** [red, green, blue] of a share −1..1 of a signed scale, on canvases. */
export function signedColour(share) {
  return mixed(token("surface"), token(share < 0 ? "neg" : "pos"), Math.min(1, Math.abs(share)));
}

/** The values of one map as RGBA pixels, a pixel a value; what is not a number is `bad`. */
export function pixels(values, width, height, scale) {
  const image = new ImageData(width, height), words = new Uint32Array(image.data.buffer), table = ramp(scale.signed);
  const bad = packed(token("bad")), unit = (scale.signed ? 127.5 : 255) / scale.most, zero = scale.signed ? 127.5 : 0;
  for (let i = 0; i < words.length; i++) {
    const at = Math.max(0, Math.min(255, Math.round(zero + values[i] * unit)));
    words[i] = Number.isNaN(at) ? bad : table[at];
  }
  return image;
}

const known = new Map(); // by theme: token -> colour, and the two ramps

function cached(key, make) {
  const name = `${document.documentElement.dataset.theme} ${key}`;
  if (!known.has(name)) known.set(name, make());
  return known.get(name);
}

function token(name) {
  return cached(name, () => {
    const text = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    return [1, 3, 5].map(at => parseInt(text.slice(at, at + 2), 16));
  });
}

function ramp(isSigned) {
  return cached(isSigned ? "signed ramp" : "ramp", () => Uint32Array.from({ length: 256 }, (_, at) =>
    packed(isSigned ? signedColour((at - 127.5) / 127.5) : mapColour(at / 255))));
}

function packed([red, green, blue]) {
  return new Uint32Array(new Uint8ClampedArray([red, green, blue, 255]).buffer)[0];
}

/** The mix of two sRGB colours in OKLab, as `color-mix(in oklab, …)` makes it. Source: Ottosson, "OKLab", 2020. */
function mixed(from, to, share) {
  if (share === 0) return from;
  const [one, other] = [oklab(from), oklab(to)];
  return rgb(one.map((part, axis) => part + (other[axis] - part) * share));
}

function oklab(colour) {
  const [red, green, blue] = colour.map(part => part / 255).map(
    part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const middle = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * long + 0.793617785 * middle - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * middle + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * middle - 0.808675766 * short,
  ];
}

function rgb([light, green, blue]) {
  const long = (light + 0.3963377774 * green + 0.2158037573 * blue) ** 3;
  const middle = (light - 0.1055613458 * green - 0.0638541728 * blue) ** 3;
  const short = (light - 0.0894841775 * green - 1.291485548 * blue) ** 3;
  return [
    4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * middle + 1.707614701 * short,
  ].map(part => part <= 0.0031308 ? 12.92 * part : 1.055 * part ** (1 / 2.4) - 0.055)
    .map(part => Math.round(255 * Math.max(0, Math.min(1, part))));
}
