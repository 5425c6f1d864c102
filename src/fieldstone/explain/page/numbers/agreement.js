// Whether two maps of an image point to the same places.

const steps = 64; // places along each side that are compared

/**
 * How far the upper halves of two maps agree.
 *
 * @returns {{shared: number, first: [down, across], second: [down, across]} | null} the part of what either marks that
 *   both mark, and where each is largest (0 to 1 of the image); null where one has nothing above 0.
 */
export function agreement(first, second) {
  const [one, other] = [first, second].map(laidOut);
  if (one.most <= 0 || other.most <= 0) return null;
  let both = 0, either = 0;
  for (let at = 0; at < steps * steps; at++) {
    const [here, there] = [one.values[at] >= one.most / 2, other.values[at] >= other.most / 2];
    both += here && there;
    either += here || there;
  }
  return { shared: both / either, first: one.peak, second: other.peak };
}

/** The largest value of a sampler. */
export function largest(sample) {
  return laidOut(sample).most;
}

function laidOut(sample) {
  const value = (_, at) => sample(place(Math.floor(at / steps)), place(at % steps));
  const values = Float64Array.from({ length: steps * steps }, value);
  const at = values.reduce((best, value, index) => (value > values[best] ? index : best), 0);
  return { values, most: values[at], peak: [place(Math.floor(at / steps)), place(at % steps)] };
}

const place = index => (index + 0.5) / steps;
