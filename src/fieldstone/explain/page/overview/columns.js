// Which blocks stand beside one another: every one, or folded by the structure that they stand in; and who reads whom.

/**
 * What is shown, in the order in which it runs.
 *
 * @param {number} most above so many blocks, stages fold.
 * @param {Set<string>} open stages that a person has opened, by the path of their first block.
 * @returns a list of {block}, of {stage, blocks, block} for a folded stage (its last block stands for it, which is the join of its paths where it has one), and of
 *   {stage, blocks, isOpen: true} before the blocks of an open one.
 */
export function columns(store, most, open) {
  if (store.blocks.length <= most) return store.blocks.map(block => ({ block }));
  return runs(store.blocks).flatMap(blocks => {
    if (blocks.length === 1) return [{ block: blocks[0] }];
    const stage = { stage: blocks[0].stage, first: blocks[0].path, blocks };
    return open.has(stage.first)
      ? [{ ...stage, isOpen: true }, ...blocks.map(block => ({ block, isInner: true }))]
      : [{ ...stage, block: blocks.at(-1) }];
  });
}

/** Blocks that follow one another in one stage; the join of a stage's paths is of it. */
function runs(blocks) {
  const found = [];
  for (const block of blocks) {
    const last = found.at(-1);
    if (last && last[0].stage !== null && [block.stage, block.path].includes(last[0].stage)) last.push(block);
    else found.push([block]);
  }
  return found;
}

/** Which of what is shown reads which: [from, to] by place, −1 for the image. */
export function links(shown) {
  const places = new Map([["input", -1]]);
  shown.forEach(({ block, blocks, isOpen }, place) => {
    if (!isOpen) for (const one of blocks ?? [block]) places.set(one.path, place);
  });
  return shown.flatMap((entry, to) => {
    const sources = entry.isOpen ? [] : (entry.blocks ?? [entry.block]).flatMap(block => block.sources);
    const froms = new Set(sources.map(source => places.get(source)));
    return [...froms].filter(from => from !== to).map(from => [from, to]);
  });
}

/** Whether a link goes from one to its neighbour; the headings of open stages between do not count. */
export function isNext(shown, [from, to]) {
  return shown.slice(from + 1, to).every(({ isOpen }) => isOpen);
}

/** The links that pass others by, each with a lane of its own where they would lie on one another: [from, to, lane]. */
export function lanes(shown) {
  const passing = links(shown).filter(link => !isNext(shown, link)).sort((one, other) => length(one) - length(other));
  const placed = [];
  for (const [from, to] of passing) {
    let lane = 0;
    while (placed.some(other => other[2] === lane && from < other[1] && other[0] < to)) lane++;
    placed.push([from, to, lane]);
  }
  return placed;
}

const length = ([from, to]) => to - from;
