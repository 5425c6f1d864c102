// Normalisation: by the running statistics of a training, or by mean and variance of a part of this image's own values.

/** (x − μ) ÷ √(σ² + ε) × γ + β, with the numbers on the way. */
export function normalise(x, { mean, variance, eps, gamma, beta }) {
  const deviation = Math.sqrt(variance + eps);
  const standard = (x - mean) / deviation;
  return { deviation, standard, value: Math.fround(standard * gamma + beta) };
}

/**
 * What a layer normalises the values of an input {data, shape} by.
 *
 * @returns a function from a value's place in the data to {mean, variance, eps, gamma, beta, part, first, end}: first to
 *   end are the values of its part, all of whose channels, neighbours, share mean and variance.
 */
export function statisticsOf(layer, arrays, { data, shape: [channels] }) {
  const cells = data.length / channels;
  const parts = layer.mean || !layer.groups ? channels : layer.groups;
  const known = new Map();
  const of = part => {
    if (!known.has(part)) known.set(part, partOf(arrays, data, part, data.length / parts));
    return known.get(part);
  };
  const own = (array, place) => array[array.length === channels ? Math.floor(place / cells) : place];
  return place => ({
    ...of(Math.floor((place * parts) / data.length)),
    eps: layer.eps,
    gamma: arrays.gamma ? own(arrays.gamma, place) : 1,
    beta: arrays.beta ? own(arrays.beta, place) : 0,
  });
}

function partOf(arrays, data, part, size) {
  const [first, end] = [part * size, (part + 1) * size];
  const known = arrays.mean ? { mean: arrays.mean[part], variance: arrays.var[part] } : spread(data, first, end);
  return { part, first, end, ...known };
}

/** Mean and variance of the values themselves: the squares are divided by their number. */
function spread(data, first, end) {
  let [sum, squares] = [0, 0];
  for (let place = first; place < end; place += 1) sum += data[place];
  const mean = sum / (end - first);
  for (let place = first; place < end; place += 1) squares += (data[place] - mean) ** 2;
  return { mean, variance: squares / (end - first) };
}
