"""Which part an image belongs to: a function of its content alone, so that it never moves."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

Part = Literal["train", "val", "test"]
PARTS: tuple[Part, ...] = ("train", "val", "test")
Bounds = tuple[tuple[float, float], ...]

# The parts that are made, in the order in which a class needs them, and where their images' u lies.
WITHOUT_TEST: dict[Part, Bounds] = {"train": ((0.0, 0.7),), "test": ((0.8, 1.0),), "val": ((0.7, 0.8),)}
WITH_TEST: dict[Part, Bounds] = {"train": ((0.0, 0.7), (0.8, 1.0)), "val": ((0.7, 0.8),)}


class Member(NamedTuple):
    """What the split sees of an image."""

    key: str
    target: int
    given: Part | None


def position(key: str) -> float:
    """u of a key (hexadecimal): the first 8 bytes of SHA-256(b"fieldstone-split" + its 32 bytes) / 2^64."""
    digest = hashlib.sha256(b"fieldstone-split" + bytes.fromhex(key)).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def meant(given: Iterable[Part | None]) -> dict[Part | None, Part | None]:
    """What the parts that a data set names stand for: train alone for none, one part beside train for the test."""
    named = set(given)
    if named <= {None, "train"}:
        return dict.fromkeys(named)
    return {part: "test" if named == {"train", "val"} and part == "val" else part for part in named}


def split(members: Sequence[Member], classes: Sequence[str]) -> tuple[list[Part], list[str]]:
    """The part of each image, and what is to be said about it.

    Given parts are kept; where train and test alone are given, a tenth of train validates; where none is, all
    three are made. Equal images get equal parts among those that are made.
    """
    if all(member.given is None for member in members):
        return _made(members, classes, WITHOUT_TEST)
    parts: list[Part] = [member.given or "train" for member in members]
    if "train" not in parts or "val" in parts:
        return parts, _shared(members, parts)
    made, notes = _made([member for member in members if member.given == "train"], classes, WITH_TEST)
    of_train = iter(made)
    parts = [next(of_train) if part == "train" else part for part in parts]
    return parts, notes + _shared(members, parts)


def _made(
    members: Sequence[Member], classes: Sequence[str], bounds: dict[Part, Bounds]
) -> tuple[list[Part], list[str]]:
    """Parts by u, then the parts that a class lacks filled with its nearest images."""
    u = {member.key: position(member.key) for member in members}
    part = {key: _part_at(value, bounds) for key, value in u.items()}
    keys: dict[int, set[str]] = defaultdict(set)
    for member in members:
        keys[member.target].add(member.key)
    notes: dict[int, list[str]] = {}
    filled: list[set[str]] = []
    for target in sorted(keys, key=lambda target: (len(keys[target]), target)):  # the smallest has the least choice
        ordered = sorted(keys[target], key=lambda key: (u[key], key))
        notes[target] = _fill(classes[target], ordered, u, part, bounds, filled)
        filled.append(keys[target])
    return [part[member.key] for member in members], [note for target in sorted(notes) for note in notes[target]]


def _part_at(u: float, bounds: dict[Part, Bounds]) -> Part:
    return next(part for part, spans in bounds.items() for low, high in spans if low <= u < high)


def _fill(
    name: str,
    keys: Sequence[str],
    u: dict[str, float],
    part: dict[str, Part],
    bounds: dict[Part, Bounds],
    filled: Sequence[set[str]],
) -> list[str]:
    """Move the nearest images of one class into its empty parts.

    A part that came before is never emptied, nor one of the classes that were `filled` before.
    """
    moved: list[Part] = []
    needed: list[Part] = []
    for wanted in bounds:
        count = Counter(part[key] for key in keys)
        if not count[wanted]:
            free = [key for key in keys if part[key] not in needed or count[part[key]] > 1]
            free = [key for key in free if not any(_alone(key, one, part) for one in filled)]
            if not free:
                lacking = [one for one in bounds if one not in needed]
                different = "1 different image" if len(keys) == 1 else f"{len(keys)} different images"
                return [f"class {name!r} has {different}: its {' and '.join(lacking)} {_are(lacking)} empty"]
            nearest = min(free, key=lambda key: _distance(u[key], bounds[wanted]))
            part[nearest] = wanted
            moved.append(wanted)
        needed.append(wanted)
    if not moved:
        return []
    return [f"class {name!r} is small: its nearest image was moved to {' and '.join(moved)}"]


def _alone(key: str, keys: set[str], part: dict[str, Part]) -> bool:
    """Whether an image is the only one of a class in its part."""
    return key in keys and sum(part[other] == part[key] for other in keys) == 1


def _are(parts: Sequence[Part]) -> str:
    return "is" if len(parts) == 1 else "are"


def _distance(u: float, spans: Bounds) -> float:
    return min(max(low - u, u - high, 0.0) for low, high in spans)


def _shared(members: Sequence[Member], parts: Sequence[Part]) -> list[str]:
    """Say how many test images are equal to one that trains or validates."""
    seen = {member.key for member, part in zip(members, parts, strict=True) if part != "test"}
    pairs = zip(members, parts, strict=True)
    shared = sum(part == "test" and member.key in seen for member, part in pairs)
    if not shared:
        return []
    return [f"{shared} of the test images {'is' if shared == 1 else 'are'} equal to one that trains or validates"]
