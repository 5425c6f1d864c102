import math
import re
from pathlib import Path

import pytest

from fieldstone.errors import RecipeError
from fieldstone.training.optimizer import learning_rate
from fieldstone.training.recipe import NAMED, Recipe, default_batch_size, parse_setting


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"learning_rate": -1}, "learning_rate: -1 is not possible, it should be greater than 0"),
        ({"learing_rate": 1}, "the recipe has no field 'learing_rate'; did you mean learning_rate?"),
        ({"optimizer": "adam"}, "optimizer: 'adam' is not possible, it should be 'sgd', 'adamw' or 'lbfgs'"),
        ({"augment": "flip,mirror"}, "augment: 'mirror' is not possible"),
        ({"augment": "flip,flip"}, "names one thing twice"),
        ({"epochs": "ten"}, "epochs: 'ten' is not possible"),
        ({"epochs": 0}, "epochs: 0 is not possible, it should be greater than or equal to 1"),
        ({"learning_rate": math.nan}, "learning_rate: nan is not possible, it should be a finite number"),
        ({"seed": -1}, "seed: -1"),
        (
            {"freeze": [5.1]},
            "freeze: [5.1] is not possible, it should stand in quotes, since without them the path 5.10",
        ),
    ],
)
def test_a_field_out_of_bounds_is_named_with_its_value(fields: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=re.escape(message)):
        Recipe(**fields)


def test_a_recipe_file_fault_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("epochs: 3\nlearning_rate: -0.1\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=rf"{file}: learning_rate: -0.1 is not possible"):
        Recipe.read(file)
    file.write_text("epochs: [3\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=rf"{file}:\d: is not YAML"):
        Recipe.read(file)
    file.write_text("epochs: 3\nseed: 1\nepochs: 4\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=rf"{file}:3: is not YAML: epochs stands twice"):
        Recipe.read(file)
    file.write_text("epochs: 3\n---\nepochs: 4\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"expected a single document in the stream, but found another document"):
        Recipe.read(file)
    file.write_text("- epochs\n", encoding="utf-8")
    with pytest.raises(RecipeError, match="is not a recipe"):
        Recipe.read(file)
    with pytest.raises(RecipeError, match="there is no recipe named 'quik'; did you mean quick"):
        Recipe.find("quik")


def test_a_recipe_is_found_by_its_name_its_file_or_itself(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("epochs: 7\n", encoding="utf-8")
    found = [
        Recipe.find(given) for given in ("quick", tmp_path / "mine.yaml", str(tmp_path / "mine.yaml"), Recipe(seed=3))
    ]
    assert [(recipe.epochs, recipe.seed) for recipe in found] == [(5, 0), (7, 0), (7, 0), (20, 3)]
    with pytest.raises(RecipeError, match="recipe 5 is none; give a Recipe, or the name or file of one"):
        Recipe.find(5)


def test_a_recipe_reads_back_as_it_was_printed(tmp_path: Path) -> None:
    recipe = Recipe(augment=("flip", "crop"), learning_rate=1e-4, early_stopping=3).resolved(
        images=5000, photos=True, precision="bf16"
    )
    (tmp_path / "recipe.yaml").write_text(recipe.to_text(), encoding="utf-8")
    assert Recipe.read(tmp_path / "recipe.yaml") == recipe


def test_what_is_not_said_is_settled_by_the_data() -> None:
    photos = Recipe().resolved(images=50_000, photos=True, precision="fp32")
    digits = Recipe().resolved(images=220, photos=False, precision="bf16")
    assert (photos.batch_size, photos.augment, photos.precision) == (128, ("flip", "shift"), "fp32")
    assert (digits.batch_size, digits.augment, digits.precision) == (16, ("shift",), "bf16")
    assert Recipe(augment="none", precision="fp32").resolved(images=220, photos=True, precision="bf16").augment == ()


@pytest.mark.parametrize(("images", "size"), [(2560, 128), (2559, 128), (2432, 64), (500, 16), (20, 16), (1216, 32)])
def test_the_batch_is_halved_until_an_epoch_has_twenty_steps(images: int, size: int) -> None:
    assert default_batch_size(images) == size


@pytest.mark.parametrize(
    ("setting", "paths"),
    [
        ("freeze=", ()), ("freeze=none", ()), ("freeze=30", ("30",)), ("freeze=1,2", ("1", "2")),
        ("freeze=5.10", ("5.10",)), ("freeze=trunk", ("trunk",)), ("freeze=5.body.2", ("5.body.2",)),
    ],
)  # fmt: skip
def test_blocks_to_freeze_are_paths_as_they_were_typed(setting: str, paths: tuple[str, ...]) -> None:
    assert Recipe(**dict([parse_setting(setting)])).freeze == paths


def test_named_recipes_are_possible_and_later_settings_win() -> None:
    assert all(Recipe.named(name) for name in NAMED)
    recipe = (
        Recipe.named("quick")
        .replace(epochs=7)
        .replace(**dict([parse_setting("epochs=9"), parse_setting("augment=none")]))
    )
    assert (recipe.epochs, recipe.augment) == (9, ())
    with pytest.raises(RecipeError, match="'epochs' sets nothing; write key=value"):
        parse_setting("epochs")


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine", "constant"])
def test_schedules_stay_between_nothing_and_the_learning_rate(schedule: str) -> None:
    recipe = Recipe(schedule=schedule, learning_rate=0.5)
    rates = [learning_rate(recipe, step, 100) for step in range(100)]
    assert max(rates) == pytest.approx(0.5)
    assert min(rates) > 0
    if schedule != "constant":
        assert rates[-1] < 0.01


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 5), ("epochs", 20), ("batch_size", 16), ("learning_rate", 0.1), ("schedule", "cosine"),
        ("augment", "flip"), ("early_stopping", 2), ("head_first", True), ("layer_decay", 0.5),
        ("batchnorm", "frozen"), ("average", True),
    ],
)  # fmt: skip
def test_what_cannot_act_where_a_head_is_fitted_alone_is_refused(field: str, value: object) -> None:
    message = f"optimizer: 'lbfgs' fits a head to all images at once, where {field} does nothing; leave {field} out"
    with pytest.raises(RecipeError, match=message):
        Recipe.named("features").replace(**{field: value})


def test_a_head_alone_takes_what_acts_and_its_own_settled_recipe(tmp_path: Path) -> None:
    acting = {"label_smoothing": 0.1, "class_weights": "balanced", "weight_decay": 0.1, "seed": 7, "augment": "none"}
    recipe = Recipe.named("features").replace(**acting)
    settled = recipe.resolved(images=50, photos=True, precision="fp32")
    (tmp_path / "recipe.yaml").write_text(settled.to_text(), encoding="utf-8")
    assert Recipe.read(tmp_path / "recipe.yaml") == settled
    assert (settled.epochs, settled.batch_size, settled.augment) == (1, None, ())


@pytest.mark.parametrize(
    ("name", "photos", "augment"),
    [
        ("default", True, ("flip", "shift")),
        ("default", False, ("shift",)),
        ("finetune", True, ("flip", "crop")),
        ("finetune", False, ("crop",)),  # a mirrored digit is none
    ],
)
def test_what_is_no_photo_is_never_mirrored(name: str, photos: bool, augment: tuple[str, ...]) -> None:
    recipe = Recipe.named(name)
    assert recipe.resolved(images=100, photos=photos, precision="fp32").augment == augment
    asked = recipe.replace(augment=["cutout"])
    assert asked.resolved(images=100, photos=photos, precision="fp32").augment == ("cutout",)
