"""Whether a recipe can be carried out on what a training begins with."""

from __future__ import annotations

from torch import nn

from fieldstone.design.design import Design
from fieldstone.errors import DesignError, RecipeError
from fieldstone.network.paths import is_inside
from fieldstone.training.cut import cut
from fieldstone.training.freezing import frozen_parameters, resting_modules
from fieldstone.training.recipe import OF_LEARNED, TRUNK, Recipe
from fieldstone.verbs.starting.start import Start


def refuse_without_start(recipe: Recipe, start: object) -> None:
    """A recipe that trains a part alone, where no weight was learned."""
    if start is None and recipe.needs_learned_weights:
        named = "head_first" if recipe.head_first else "freeze"
        raise RecipeError(
            f"{named}: a trunk without learned weights has nothing to keep",
            fix=f"give --start (the recipes {' and '.join(OF_LEARNED)} need one), or leave {named} out",
        )


def refuse_unusable(network: nn.Module, design: Design | None, learned: Start, recipe: Recipe) -> None:
    """Fail before a run is made where the recipe freezes what is not there or has to learn, or no head can be cut off.

    Raises:
        RecipeError, DesignError: which of these it is.
    """
    _refuse_unknown_head(learned, recipe)
    resting_modules(network, learned.head, recipe.freeze)
    _refuse_frozen_head(learned, recipe)
    training = {one for one in network.parameters() if one.requires_grad}
    if training.issubset(frozen_parameters(network, learned.head, recipe.freeze)):
        raise RecipeError(
            f"freeze: {', '.join(recipe.freeze)} leaves nothing to train", fix="freeze less, as trunk alone"
        )
    if recipe.fits_head:
        assert learned.head is not None
        cut(network, learned.head, design, learned.preprocessing)


def _refuse_unknown_head(learned: Start, recipe: Recipe) -> None:
    """A recipe that sets the head apart, in a network of the user's own whose head cannot be told."""
    if learned.head is None and (recipe.fits_head or TRUNK in recipe.freeze):
        raise DesignError(
            "nobody knows which layer is the head of this network: the last that runs is no linear layer or "
            "convolution with as many outputs as the network",
            fix="end it in one, or take a recipe without features and head_first, and freeze modules by their names",
        )


def _refuse_frozen_head(learned: Start, recipe: Recipe) -> None:
    """A head that is new, or that is fitted before the rest, has to learn."""
    reason = "head_first fits" if recipe.head_first else "is new" if learned.new else None
    head = learned.head
    holding = [path for path in recipe.freeze if head and (is_inside(head, path) or is_inside(path, head))]
    if reason is not None and holding and head:
        what = "is" if holding[0] == head else "holds" if is_inside(head, holding[0]) else "is in"
        raise RecipeError(
            f"freeze: {holding[0]} {what} the head, which {reason}", fix="freeze other blocks, as trunk, or none"
        )
