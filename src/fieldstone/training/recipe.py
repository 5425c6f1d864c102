"""How to train: the recipe, as data. No torch."""

import difflib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from fieldstone.design.entries import yaml_reason
from fieldstone.errors import RecipeError

Augmentation = Literal["flip", "shift", "crop", "color", "cutout"]

NAMED: dict[str, dict[str, Any]] = {
    "default": {},
    "quick": {"epochs": 5},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.4, "label_smoothing": 0.1},
    "thorough": {"epochs": 60, "augment": ["flip", "crop", "color"], "label_smoothing": 0.1},
    "features": {"optimizer": "lbfgs", "freeze": ["trunk"], "augment": []},
    "finetune": {
        "epochs": 6, "learning_rate": 0.0005, "label_smoothing": 0.1, "head_first": True, "layer_decay": 0.9,
        "batchnorm": "frozen", "average": True,
    },
}  # fmt: skip
OF_LEARNED = ("features", "finetune")
"""The recipes that begin with learned weights; a training with `start` and no recipe takes the second."""

TRUNK = "trunk"
"""What `freeze` calls every block but the head."""

LEARNING_RATES = {"sgd": 0.1, "adamw": 0.003, "lbfgs": 1.0}
WEIGHT_DECAYS = {"sgd": 0.0005, "adamw": 0.05}
OF_EPOCHS: dict[str, Any] = {
    "epochs": 1, "batch_size": None, "learning_rate": LEARNING_RATES["lbfgs"], "schedule": "one-cycle", "augment": (),
    "early_stopping": None, "head_first": False, "layer_decay": 1.0, "batchnorm": "train", "average": False,
}  # fmt: skip
"""Fields that cannot act where a head is fitted alone, to all images at once, and what they are there."""

LARGEST_BATCH, SMALLEST_BATCH, STEPS_WANTED = 128, 16, 20


class Recipe(BaseModel):
    """How to train. Every field is named and bounded; `None` means that Fieldstone chooses, and the run says what.

    Raises:
        RecipeError: an unknown field, or a value out of its bounds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=False)

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 20
    batch_size: Annotated[int, Field(ge=2, le=65_536)] | None = None
    optimizer: Literal["sgd", "adamw", "lbfgs"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0, le=100)] | None = None
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    weight_decay: Annotated[float, Field(ge=0, le=10)] | None = None
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    augment: tuple[Augmentation, ...] | None = None
    init: Literal["torch", "kaiming", "xavier"] = "torch"
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    resize: Literal["crop", "letterbox", "stretch"] = "crop"
    resize_to: Annotated[int, Field(ge=1, le=65_536)] | None = None
    class_weights: Literal["none", "balanced"] = "none"
    early_stopping: Annotated[int, Field(ge=1)] | None = None
    freeze: tuple[str, ...] = ()
    head_first: bool = False
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    batchnorm: Literal["train", "frozen"] = "train"
    average: bool = False
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as fault:
            raise _recipe_error(fault) from fault

    @field_validator("augment", "freeze", mode="before")
    @classmethod
    def _list_of_words(cls, value: Any, field: ValidationInfo) -> Any:
        """A comma list, as options give it, is a list; `none` is the empty one; a path of one number is a word."""
        if value is None and field.field_name == "freeze":
            return []
        if any(isinstance(one, float) for one in (value if isinstance(value, list | tuple) else (value,))):
            raise ValueError("should stand in quotes, since without them the path 5.10 is the number 5.1")
        if isinstance(value, str):
            return [] if value == "none" else [kind.strip() for kind in value.split(",")]
        if type(value) is int:
            return [str(value)]
        if isinstance(value, list | tuple):
            return [str(one) if type(one) is int else one for one in value]
        return value

    @field_validator("augment", "freeze")
    @classmethod
    def _each_once(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and len(set(value)) < len(value):
            raise ValueError("names one thing twice")
        return value

    @model_validator(mode="after")
    def _of_a_fit(self) -> Self:
        if self.optimizer != "lbfgs":
            return self
        if self.freeze != (TRUNK,):
            raise ValueError("fits a head to a frozen trunk: set freeze=trunk, or another optimizer")
        for name, there in OF_EPOCHS.items():
            if name in self.model_fields_set and getattr(self, name) not in (None, there):
                raise ValueError(
                    f"fits a head to all images at once, where {name} does nothing: "
                    f"leave {name} out, or take another optimizer or the recipe finetune"
                )
        return self

    @property
    def needs_learned_weights(self) -> bool:
        """Whether it makes sense on weights that were learned before alone."""
        return bool(self.freeze) or self.head_first

    @property
    def fits_head(self) -> bool:
        """Whether the head is fitted to what the trunk makes of the images, before the epochs or in their place."""
        return self.head_first or self.optimizer == "lbfgs"

    @classmethod
    def named(cls, name: str) -> Self:
        """A recipe that Fieldstone ships: `default`, `quick`, `sgd`, `thorough`, `features` or `finetune`."""
        if name not in NAMED:
            fix = _meant(name, NAMED) or f"choose one of {', '.join(NAMED)}, or give a file"
            raise RecipeError(f"there is no recipe named {name!r}", fix=fix)
        return cls(**NAMED[name])

    @classmethod
    def find(cls, given: str | Path | Self) -> Self:
        """The recipe that a name or a file means; a recipe is itself."""
        if isinstance(given, cls):
            return given
        if not isinstance(given, str | Path):
            raise RecipeError(f"recipe {given!r} is none", fix="give a Recipe, or the name or file of one")
        return cls.read(given) if given not in NAMED and Path(given).is_file() else cls.named(str(given))

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """A recipe from a YAML file of `field: value` lines."""
        fields = _fields(path)
        try:
            return cls(**fields)
        except RecipeError as fault:
            raise RecipeError(fault.message, file=str(path), fix=fault.fix) from fault

    def replace(self, **fields: Any) -> Self:
        """The same recipe with some fields set anew, each checked."""
        return type(self)(**{**self.model_dump(exclude_unset=True), **fields})

    def resolved(self, *, images: int, photos: bool, precision: str) -> Self:
        """The recipe with nothing left to choose.

        Args:
            images: how many images train; the batch size is halved from 128 until an epoch has 20 steps.
            photos: whether the data are colour photos, which a mirror leaves what they are.
            precision: what `auto` means on this machine.
        """
        return self.replace(
            **{
                **self.model_dump(),
                "batch_size": self.batch_size or default_batch_size(images),
                "learning_rate": self.learning_rate or LEARNING_RATES[self.optimizer],
                "weight_decay": self._weight_decay(),
                "augment": self._augment(photos) if self.augment is None else self.augment,
                "precision": precision if self.precision == "auto" else self.precision,
                **(OF_EPOCHS if self.optimizer == "lbfgs" else {}),
            }
        )

    def _augment(self, photos: bool) -> tuple[Augmentation, ...]:
        """What learned weights are finetuned on is cut out anew each time; the rest is moved."""
        moved: Augmentation = "crop" if self.head_first else "shift"
        return ("flip", moved) if photos else (moved,)

    def _weight_decay(self) -> float | None:
        """None stays where it is chosen on validation."""
        return WEIGHT_DECAYS.get(self.optimizer) if self.weight_decay is None else self.weight_decay

    def to_json(self) -> dict[str, Any]:
        """Every field by its name."""
        return self.model_dump(mode="json")

    def to_text(self) -> str:
        """The recipe as YAML; `Recipe.read` of it gives the same recipe."""
        return yaml.safe_dump(self.to_json(), sort_keys=False, default_flow_style=None, allow_unicode=True)


def default_batch_size(images: int) -> int:
    """128, halved down to 16 until an epoch has at least 20 steps."""
    size = LARGEST_BATCH
    while size > SMALLEST_BATCH and math.ceil((images - 1) / size) < STEPS_WANTED:  # a last image alone is no step
        size //= 2
    return size


NOT_YAML = (yaml.YAMLError, ValueError, RecursionError)
"""What PyYAML raises on text that is none, dates that are no days and numbers of a thousand digits among it."""


class _Loader(yaml.SafeLoader):
    """YAML's plain values; a key that stands twice is a fault."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} stands twice", key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else key)
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> Any:
    """The value of a YAML text. Raises one of `NOT_YAML`."""
    return yaml.load(text, _Loader)


def _fields(path: str | Path) -> dict[str, Any]:
    """The fields that a recipe file sets, not yet checked."""
    try:
        fields = read_yaml(Path(path).read_text(encoding="utf-8"))
    except OSError as fault:
        raise RecipeError(
            f"cannot be read: {fault.strerror}", file=str(path), fix="give a recipe file or name"
        ) from fault
    except NOT_YAML as fault:
        mark = getattr(fault, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        message = "is not YAML" + (f": {yaml_reason(fault)}" if isinstance(fault, yaml.MarkedYAMLError) else "")
        raise RecipeError(message, file=str(path), line=line, fix="write one `field: value` a line") from fault
    if fields is None:
        return {}
    if not isinstance(fields, dict) or not all(isinstance(name, str) for name in fields):
        raise RecipeError("is not a recipe", file=str(path), fix="write one `field: value` a line, as in `epochs: 20`")
    return fields


def parse_setting(text: str) -> tuple[str, Any]:
    """`key=value` as a field and its value, read as YAML reads it: `2`, `0.1`, `null`, `flip,shift`.

    A path that looks like a number, as 5.10, stays a word.
    """
    field, equals, value = text.partition("=")
    if not equals:
        raise RecipeError(f"{text!r} sets nothing", fix="write key=value, as in learning_rate=0.001")
    try:
        read = read_yaml(value)
        return field, value.strip() if field == "freeze" and isinstance(read, float) else read
    except NOT_YAML as fault:
        raise RecipeError(f"{field}: {value!r} cannot be read", fix="write a number or a word") from fault


def _meant(word: str, words: Iterable[str]) -> str | None:
    """The question that offers the word nearest to one that is unknown."""
    near = difflib.get_close_matches(word, list(words), n=1)
    return f"did you mean {near[0]}?" if near else None


def _recipe_error(fault: ValidationError) -> RecipeError:
    """The first fault that pydantic found, as one sentence of ours."""
    first = fault.errors()[0]
    if not first["loc"]:  # of fields together
        message, _, fix = first["msg"].removeprefix("Value error, ").partition(": ")
        return RecipeError(f"optimizer: 'lbfgs' {message}", fix=fix)
    field = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        fix = _meant(field, Recipe.model_fields) or f"the fields are {', '.join(Recipe.model_fields)}"
        return RecipeError(f"the recipe has no field {field!r}", fix=fix)
    wanted = first["msg"].removeprefix("Input ").removeprefix("Value error, ").partition(", unable to parse")[0]
    return RecipeError(f"{field}: {first['input']!r} is not possible, it {wanted}", fix=f"set another {field}")
