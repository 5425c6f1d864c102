// The views of the layers that slide no window.

import * as activation from "fieldstone/activation";
import { answer } from "fieldstone/answer";
import * as excite from "fieldstone/excite";
import * as flatten from "fieldstone/flatten";
import * as gather from "fieldstone/gather";
import * as join from "fieldstone/join";
import * as linear from "fieldstone/linear";
import * as normalise from "fieldstone/normalise";
import * as response from "fieldstone/response";
import * as same from "fieldstone/same";

const NORMALISED = { batchnorm: normalise, groupnorm: normalise, instancenorm: normalise, layernorm: normalise };
const GATHERED = { upsample: gather, pixelshuffle: gather, pad: gather, crop: gather, maxunpool: gather };
const VIEWS = {
  ...NORMALISED, ...GATHERED, localresponsenorm: response, squeezeexcite: excite,
  activation, add: join, concat: join, flatten, linear, multiply: join,
};

/** The view of a block that slides no window, of an unknown one its map; of the last block the answer too. */
export function view(root, store, block) {
  const shown = (VIEWS[block.layer.type] ?? same).view(root, store, block);
  const numbers = block === store.blocks.at(-1) ? answer(store) : null;
  if (numbers) root.append(numbers);
  return shown;
}
