// The views of the layers that slide no window.

import * as activation from "fieldstone/activation";
import * as flatten from "fieldstone/flatten";
import * as join from "fieldstone/join";
import * as linear from "fieldstone/linear";
import * as normalise from "fieldstone/normalise";
import * as same from "fieldstone/same";

const VIEWS = { activation, add: join, batchnorm: normalise, concat: join, flatten, linear, multiply: join };

/** The view of a block that slides no window; of an unknown one its map. */
export function view(root, store, block, options) {
  return (VIEWS[block.layer.type] ?? same).view(root, store, block, options);
}
