// The views of the layers that slide no window.

import * as activation from "fieldstone/activation";
import { answer } from "fieldstone/answer";
import * as flatten from "fieldstone/flatten";
import * as join from "fieldstone/join";
import * as linear from "fieldstone/linear";
import * as normalise from "fieldstone/normalise";
import * as same from "fieldstone/same";

const VIEWS = { activation, add: join, batchnorm: normalise, concat: join, flatten, linear, multiply: join };

/** The view of a block that slides no window, of an unknown one its map; of the last block the answer too. */
export function view(root, store, block) {
  const shown = (VIEWS[block.layer.type] ?? same).view(root, store, block);
  const numbers = block === store.blocks.at(-1) ? answer(store) : null;
  if (numbers) root.append(numbers);
  return shown;
}
