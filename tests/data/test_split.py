"""The split, against SHA-256 and intervals written out here."""

import hashlib
from collections.abc import Sequence
from typing import cast

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from fieldstone.data.split import Member, Part, position, split

NAMES = ("a", "b")


def key_of(n: int) -> str:
    return hashlib.sha256(str(n).encode()).hexdigest()


def u_of(key: str) -> float:
    digest = hashlib.sha256(b"fieldstone-split" + bytes.fromhex(key)).digest()
    return int(digest[:8].hex(), 16) / 18446744073709551616


KEYS = [key_of(n) for n in range(2000)]
TRAIN = [key for key in KEYS if u_of(key) < 0.7]
VAL = [key for key in KEYS if 0.7 <= u_of(key) < 0.8]
TEST = [key for key in KEYS if u_of(key) >= 0.8]


def parts(keys: Sequence[str], given: str | None = None) -> list[Part]:
    return split([Member(key, 0, cast(Part | None, given)) for key in keys], NAMES)[0]


def test_position_of_a_key_is_the_published_formula() -> None:
    assert [position(key) for key in KEYS[:50]] == [u_of(key) for key in KEYS[:50]]


def test_parts_follow_u() -> None:
    expected = ["train" if key in TRAIN else "val" if key in VAL else "test" for key in KEYS]
    assert parts(KEYS) == expected


def test_added_images_move_no_others() -> None:
    assert parts(KEYS)[:500] == parts(KEYS[:500])


def test_with_a_test_part_a_tenth_of_train_validates() -> None:
    members = [Member(key, 0, "train") for key in KEYS[:1000]] + [Member(key, 0, "test") for key in KEYS[1000:]]
    made, notes = split(members, NAMES)
    assert made == ["val" if key in VAL else "train" for key in KEYS[:1000]] + ["test"] * 1000
    assert notes == []


def test_given_parts_are_kept() -> None:
    given: tuple[Part, ...] = ("train", "val", "test")
    assert split([Member(KEYS[n], 0, part) for n, part in enumerate(given)], NAMES)[0] == list(given)


def test_equal_test_images_stay_and_are_counted() -> None:
    given: list[tuple[str, Part]] = [(KEYS[0], "train"), (KEYS[1], "val"), (KEYS[0], "test"), (KEYS[2], "test")]
    made, notes = split([Member(key, 0, part) for key, part in given], NAMES)
    assert made == ["train", "val", "test", "test"]
    assert notes == ["1 of the test images is equal to one that trains or validates"]


def test_an_empty_test_takes_the_greatest_u() -> None:
    keys = [*TRAIN[:3], VAL[0]]
    made, notes = split([Member(key, 0, None) for key in keys], NAMES)
    last_of_train = max(TRAIN[:3], key=u_of)  # val comes last, so it gives up its image and takes the next
    assert made == ["val" if key == last_of_train else "test" if key == VAL[0] else "train" for key in keys]
    assert notes == ["class 'a' is small: its nearest image was moved to test and val"]


def test_an_empty_val_takes_the_nearest_from_either_side() -> None:
    keys = [*TRAIN[:4], *TEST[:4]]
    nearest = min(keys, key=lambda key: max(0.7 - u_of(key), u_of(key) - 0.8))
    assert parts(keys) == ["val" if key == nearest else "train" if key in TRAIN else "test" for key in keys]


def test_an_empty_train_takes_the_smallest_u() -> None:
    keys = [VAL[0], *TEST[:3]]
    lowest_of_test = min(TEST[:3], key=u_of)
    assert parts(keys) == ["train", *("val" if key == lowest_of_test else "test" for key in TEST[:3])]


def test_a_moved_image_takes_its_equals_along() -> None:
    last = max(TRAIN[:3], key=u_of)
    made = parts([*TRAIN[:3], VAL[0], TEST[0], last, last])
    assert (
        len({part for key, part in zip([*TRAIN[:3], VAL[0], TEST[0], last, last], made, strict=True) if key == last})
        == 1
    )


@pytest.mark.parametrize(
    ("keys", "expected", "note"),
    [
        ([TEST[0]], ["train"], "class 'a' has 1 different image: its test and val are empty"),
        ([TEST[0], TEST[0]], ["train", "train"], "class 'a' has 1 different image: its test and val are empty"),
        ([TRAIN[0], VAL[0]], ["train", "test"], "class 'a' has 2 different images: its val is empty"),
        ([VAL[0], TEST[0]], ["train", "test"], "class 'a' has 2 different images: its val is empty"),
    ],
)
def test_fewer_than_three_different_images(keys: list[str], expected: list[str], note: str) -> None:
    assert split([Member(key, 0, None) for key in keys], NAMES) == (expected, [note])


def test_one_training_image_beside_a_given_test_does_not_validate() -> None:
    members = [Member(VAL[0], 0, "train"), Member(TEST[0], 0, "test")]
    assert split(members, NAMES) == (["train", "test"], ["class 'a' has 1 different image: its val is empty"])


@drawn(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 1)), min_size=1))
def test_every_class_has_what_its_different_images_allow(rows: list[tuple[int, int]]) -> None:
    members = [Member(key_of(2 * n + target), target, None) for n, target in rows]
    made, _ = split(members, NAMES)
    by_key: dict[str, set[str]] = {}
    for member, part in zip(members, made, strict=True):
        by_key.setdefault(member.key, set()).add(part)
    assert all(len(found) == 1 for found in by_key.values())
    for target in {member.target for member in members}:
        here = {member.key: part for member, part in zip(members, made, strict=True) if member.target == target}
        wanted = ["train", "test", "val"][: len(here)]
        assert set(wanted) == set(here.values()) or len(here) > 3
        assert set(wanted) <= set(here.values())


def test_an_image_of_two_classes_is_not_moved_away_from_the_first() -> None:
    shared, other = sorted(TEST[:2], key=u_of)  # the second class lacks train, and would take the first's only test
    first, second = [*TRAIN[:3], VAL[0], shared], [shared, other]
    made, notes = split([Member(key, n, None) for n, keys in enumerate((first, second)) for key in keys], NAMES)
    last_of_train = max(TRAIN[:3], key=u_of)
    assert made[5:] == ["train", "test"]
    assert set(made[:5]) == {"train", "val", "test"}
    assert made[4] == "train"
    assert made[TRAIN[:3].index(last_of_train)] == "val"
    assert notes == [
        "class 'a' is small: its nearest image was moved to test and val",
        "class 'b' has 2 different images: its val is empty",
    ]


@drawn(
    st.lists(st.integers(0, 60), min_size=3, max_size=8, unique=True),
    st.lists(st.integers(100, 160), min_size=3, max_size=8, unique=True),
    st.lists(st.integers(200, 260), max_size=8, unique=True),
)
def test_two_classes_that_share_images_have_all_parts(first: list[int], second: list[int], both: list[int]) -> None:
    """Three images of its own are enough for a class, whatever it shares."""
    members = [Member(key_of(n), 0, None) for n in first + both] + [Member(key_of(n), 1, None) for n in second + both]
    made, _ = split(members, NAMES)
    for target in (0, 1):
        here = {part for member, part in zip(members, made, strict=True) if member.target == target}
        assert here == {"train", "val", "test"}
    assert made[len(first) : len(first + both)] == made[len(first + both + second) :]
