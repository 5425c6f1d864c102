// Where the three grids of a step lie: side by side, in a corner, or one under another.

const TOP = 34; // pixels above a grid for its label
const FOOT = 34; // under the kernel for its caption
const LABEL = 108; // the words above the output
const MOST = 60,
  NARROW = 48; // the pitch of cells

/**
 * @param width pixels that there are.
 * @param grids {input, kernel, output}, each [rows, columns].
 * @returns {{pitch, gap, small, smallGap, height, input, kernel, output}} the pitch of the input and of the two small
 *   grids, and the corner [x, y] of each.
 */
export function layout(width, grids) {
  const wide = besides(width, grids),
    corner = cornered(width, grids);
  if (width >= 560 && wide.pitch >= 40) return wide;
  const best = width >= 560 ? [wide, corner].reduce((one, other) => (other.pitch > one.pitch + 3 ? other : one)) : null;
  return best && best.pitch >= 34 ? best : stacked(width, grids);
}

const gapOf = pitch => (pitch < 48 ? 4 : 6);

/** Input, kernel and output on one middle line. */
function besides(width, { input, kernel, output }) {
  const columns = input[1] + kernel[1] + output[1],
    rows = Math.max(input[0], kernel[0], output[0]);
  const between = Math.max(48, Math.min(88, width * 0.08));
  const pitch = Math.min(MOST, Math.floor((width - 2 * between) / columns));
  const used = (input[1] + kernel[1]) * pitch + Math.max(output[1] * pitch, LABEL);
  const apart = Math.min(96, (width - used) / 2),
    start = (width - used - 2 * apart) / 2;
  const y = ([count]) => TOP + ((rows - count) * pitch) / 2;
  const next = start + input[1] * pitch + apart,
    captioned = rows - kernel[0] < 2 ? FOOT : 8;
  return {
    ...sizes(pitch, pitch),
    height: TOP + rows * pitch + captioned,
    input: [start, y(input)],
    kernel: [next, y(kernel)],
    output: [next + kernel[1] * pitch + apart, y(output)],
  };
}

/** The input at the left, the kernel at the right above the output. */
function cornered(width, { input, kernel, output }) {
  const columns = input[1] + Math.max(kernel[1], output[1]),
    between = Math.max(48, Math.min(88, width * 0.08));
  const pitch = Math.min(MOST, Math.floor((width - between) / columns));
  const below = TOP + kernel[0] * pitch + FOOT + TOP,
    right = below + output[0] * pitch,
    left = TOP + input[0] * pitch;
  const height = Math.max(left, right),
    start = (width - columns * pitch - between) / 2;
  const second = start + input[1] * pitch + between,
    down = (height - right) / 2;
  return {
    ...sizes(pitch, pitch),
    height: height + 8,
    input: [start, TOP + (height - left) / 2],
    kernel: [second, TOP + down],
    output: [second, below + down],
  };
}

/** The input above, kernel and output side by side under it. */
function stacked(width, { input, kernel, output }) {
  const pitch = Math.min(NARROW, Math.floor(width / input[1])), between = 32;
  const fitting = Math.floor((width - between) / (kernel[1] + output[1]));
  const beside = Math.floor((width - between - LABEL) / kernel[1]); // where the output's words are the wider
  const small = Math.min(pitch, output[1] * fitting < LABEL ? beside : fitting);
  const used = kernel[1] * small + between + Math.max(output[1] * small, LABEL);
  const start = Math.max(0, (width - used) / 2);
  const rows = Math.max(kernel[0], output[0]), below = TOP + input[0] * pitch + 14 + TOP;
  const y = ([count]) => below + (rows - count) * small / 2;
  return {
    ...sizes(pitch, small),
    height: below + rows * small + (rows - kernel[0] < 2 ? FOOT : 8),
    input: [(width - input[1] * pitch) / 2, TOP],
    kernel: [start, y(kernel)],
    output: [start + kernel[1] * small + between, y(output)],
  };
}

function sizes(pitch, small) {
  return { pitch, gap: gapOf(pitch), small, smallGap: gapOf(small) };
}
