// Numbers as people read them (whole ones bare, others rounded, a true minus), the exact ones beside them, and whether
// a line of arithmetic is true as it is written.

/** A cell's value: `3`, `0.25`, `−12.5`, `1,234`, `1.24e5`, `−∞`, `NaN`; zero is `0` if exact, `0.00` if rounded. */
export function format(value, decimals = 2) {
  return withSign(value, size => size >= 100_000 ? scientific(size) : rounded(size, decimals));
}

/** A value within arithmetic: as `format`, but nothing is rounded to zero: `0.012`, `1.24e−5`. */
export function term(value) {
  return withSign(value, size => {
    if (size >= 100_000 || (size > 0 && size < 0.001)) return scientific(size);
    return Number.isInteger(size) || size >= 0.0995 ? rounded(size, 2) : String(Number(size.toPrecision(2)));
  });
}

/** A value within a sum or product: a negative one in brackets. */
export function factor(value) {
  const text = term(value);
  return text.startsWith("−") ? `(${text})` : text;
}

/**
 * What is written in cells that hold so many characters: 2 decimals in all of them, or else, in all of them, what is
 * below 1 without its 0 and the rest with fewer decimals; "" where that does not fit either.
 */
export function fit(values, characters) {
  const texts = values.map(value => value === null ? "" : format(value));
  return texts.every(text => text.length <= characters) ? texts : values.map(value => short(value, characters));
}

/** The shortest text that reads back as the same float32. */
export function exact(value) {
  if (Object.is(value, -0)) return "-0";
  const stored = Math.fround(value);
  for (let digits = 1; digits < 10; digits++) {
    const short = Number(stored.toPrecision(digits));
    if (Math.fround(short) === stored) return String(short);
  }
  return String(stored); // NaN and infinities
}

/** `91.3 %`; what is rounded is never written as 0 % or 100 %, what is no share as `NaN`. */
export function percent(share) {
  if (!Number.isFinite(share)) return format(share);
  const text = (100 * share).toFixed(1);
  if (text === "100.0") return share === 1 ? "100 %" : "> 99.9 %";
  if (text === "0.0") return share === 0 ? "0 %" : "< 0.1 %";
  return `${text} %`;
}

/** A number of things: `1,234,567`. */
export function count(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A shape: `3×39×39`. */
export function times(sizes) {
  return sizes.join("×");
}

/**
 * `=` where the line is true as it is written, otherwise `≈`.
 *
 * @param own the left side: a number, or a sum as a list of products, each a list of the numbers that are written.
 * @param recorded the number on the right.
 * @param divisor what the left side is divided by, a whole number.
 */
export function equals(own, recorded, divisor = 1) {
  const products = Array.isArray(own) ? own : [[own]];
  const right = [[recorded, divisor]];
  if (![...products, ...right].flat().every(Number.isFinite)) return "=";
  return decimals([...products, ...right.map(([first, ...rest]) => [-first, ...rest])]) === 0n ? "=" : "≈";
}

/** The sum of products of numbers as they are written, in units of the last decimal of any. */
function decimals(products) {
  const parts = products.map(product => product.map(written).reduce(
    (one, other) => ({ digits: one.digits * other.digits, power: one.power + other.power })));
  const last = Math.min(...parts.map(part => part.power));
  return parts.reduce((sum, { digits, power }) => sum + digits * 10n ** BigInt(power - last), 0n);
}

/** digits·10^power of the text that is written for a number. */
function written(value) {
  const [digits, power = "0"] = term(value).replaceAll("−", "-").replaceAll(",", "").split("e");
  const [whole, fraction = ""] = digits.split(".");
  return { digits: BigInt(whole + fraction), power: Number(power) - fraction.length };
}

function withSign(value, text) {
  if (Number.isNaN(value)) return "NaN";
  const size = Math.abs(value) === Infinity ? "∞" : text(Math.abs(value));
  return value < 0 ? `−${size}` : size;
}

function rounded(size, decimals) {
  if (Number.isInteger(size)) return count(size);
  const [whole, fraction] = size.toFixed(size < 100 ? decimals : size < 1000 ? Math.min(1, decimals) : 0).split(".");
  return fraction ? `${count(whole)}.${fraction}` : count(whole);
}

function scientific(size) {
  const [digits, power] = size.toExponential(2).split("e");
  return `${digits}e${power.replace("+", "").replace("-", "−")}`;
}

function short(value, characters) {
  if (value === null) return "";
  const isBelow1 = Math.abs(value) < 0.995;
  const texts = [2, 1, 0].map(decimals => format(value, decimals));
  const bare = texts.map(text => isBelow1 ? text.replace("0.", ".") : text);
  const misleads = text => isSmall(value) && !Number.isInteger(value) && !text.includes(".");
  return bare.find(text => text.length <= characters && (!misleads(text) || !Number.isFinite(value))) ?? "";
}

/** Whether a number must not be written as a whole one: 0.3 is no 0, and 1.5 no 2. */
function isSmall(value) {
  return Math.abs(value) < 10;
}
