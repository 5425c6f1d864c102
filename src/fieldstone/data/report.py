"""The report of a data set that a person reads."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from unicodedata import normalize

from rich.cells import cell_len, set_cell_size

from fieldstone.data.manifest import Entry, Manifest, printable
from fieldstone.data.split import PARTS

MANY = 20  # files that were left out, or classes, which are named


def report(manifest: Manifest, entries: Sequence[Entry], notes: Sequence[str]) -> str:
    """Form, classes, counts per part, sizes, duplicates, what is left out, and notes."""
    colour = "grey" if all(entry.channels == 1 for entry in entries) else "colour"
    lines = [
        f"{manifest.path}: {manifest.form}, {len(manifest.classes)} classes, {len(entries):,} images, {colour}",
        "",
        *_counts(manifest),
        "",
        f"sizes       {sizes_text(entries)}",
        f"duplicates  {len(entries) - len({entry.key for entry in entries}):,}",
        f"left out    {len(manifest.left_out):,}",
    ]
    lines += [f"  {left.file}: {left.reason}" for left in manifest.left_out[:MANY]]
    if len(manifest.left_out) > MANY:
        lines.append(f"  and {len(manifest.left_out) - MANY:,} more")
    lines += [f"note: {note}" for note in notes]
    return printable("\n".join(lines))


def _counts(manifest: Manifest) -> list[str]:
    count = Counter((row.target, row.split) for row in manifest.rows)
    total = Counter(row.split for row in manifest.rows)
    width = max(cell_len(name) for name in (*manifest.classes, "class"))
    table = [("class", *PARTS)]
    table += [(name, *(f"{count[target, part]:,}" for part in PARTS)) for target, name in enumerate(manifest.classes)]
    table.append(("all", *(f"{total[part]:,}" for part in PARTS)))
    return [set_cell_size(name, width) + "".join(f"{cell:>9}" for cell in cells) for name, *cells in table]


def sizes_text(entries: Sequence[Entry]) -> str:
    """How large the images are, before they are fitted to a network."""
    sizes = sorted({(entry.width * entry.height, entry.width, entry.height) for entry in entries})
    smallest, largest = (f"{width}x{height}" for _, width, height in (sizes[0], sizes[-1]))
    if len(sizes) == 1:
        return f"all {smallest} (width x height)"
    return f"{smallest} to {largest} (width x height), {len(sizes):,} different"


def untrained(manifest: Manifest) -> list[str]:
    """Say which classes have no image that trains, where others have some."""
    trained = {row.target for row in manifest.rows if row.split == "train"}
    lacking = [repr(name) for target, name in enumerate(manifest.classes) if target not in trained]
    if not trained or not lacking:
        return []
    more = f" and {len(lacking) - MANY:,} more" if len(lacking) > MANY else ""
    classes = f"class {lacking[0]} has" if len(lacking) == 1 else f"classes {', '.join(lacking[:MANY])}{more} have"
    return [f"the {classes} no training image"]


def alike(classes: Sequence[str]) -> list[str]:
    """Say which class names differ only by case or by the form of their Unicode letters."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in classes:
        alike[normalize("NFC", name).casefold()].append(name)
    return [
        f"the classes {' and '.join(repr(name) for name in names)} differ only by case or Unicode form"
        for names in alike.values()
        if len(names) > 1
    ]


def contradictions(entries: Sequence[Entry]) -> list[str]:
    """Say how many different images stand in more than one class."""
    classes = Counter(key for key, _ in {(entry.key, entry.target) for entry in entries})
    count = sum(times > 1 for times in classes.values())
    if not count:
        return []
    return [f"{count} different {'image stands' if count == 1 else 'images stand'} in more than one class"]
