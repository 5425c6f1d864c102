"""Test accuracy against time: from scratch, a head on learned features, and finetuning, on few photos and on many.

    python benchmarks/transfer.py measure FOLDER RESULTS.jsonl [NAME ...] [--seeds 5] [--recipes features ...]
    python benchmarks/transfer.py table RESULTS.jsonl
    python benchmarks/transfer.py plot RESULTS.jsonl PICTURE.svg

FOLDER holds the unpacked sets (hymenoptera, weather4, cifar10-jpeg). A training runs as a user would run it, in a
process of its own, from a cold cache; the seconds are those of `fieldstone train --json`. Of CIFAR-10 so many images a
class train (a tenth of them validates) and the first 200 test images of each class test: a table of files says which.
All of its test images test what learned from scratch from all images, as in RESULTS.md.
`table` and `plot` make what docs/transfer.md shows; `plot` needs matplotlib, which the extra `demo` brings.
"""

import argparse
import csv
import json
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch

from machine import machine
from whole import train_and_test

TESTED = 200
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"  # what `train` takes unasked
START = ["--start", "efficientnet-lite-0"]
LARGER = ["--start", "efficientnet-lite-2"]
SMALL = ["--input", "3x96x96"]
WAYS: dict[str, dict[str, list[str]]] = {
    "photos": {
        "scratch": ["--recipe", "thorough"],
        "features": [*START, "--recipe", "features"],
        "finetune": START,
        "features, lite-2": [*LARGER, "--recipe", "features"],
        "finetune, lite-2": [*LARGER, "--epochs", "8"],
    },
    "many photos": {
        "scratch": ["--design", "vgg-small"],
        "features": [*START, "--recipe", "features"],
        "finetune": START,
    },
    "cifar": {
        "scratch": ["--recipe", "thorough"],
        "features": [*START, *SMALL, "--recipe", "features"],
        "finetune": [*START, *SMALL],
    },
    "cifar-all": {
        "scratch": ["--recipe", "sgd", "--epochs", "15"],
        "features": [*START, *SMALL, "--recipe", "features"],
        "finetune": [*START, *SMALL, "--epochs", "2"],
    },
}
SETS: dict[str, tuple[str, str, int | None]] = {
    "hymenoptera": ("photos", "hymenoptera", None),
    "weather4": ("many photos", "weather4", None),
    "cifar-25": ("cifar", "cifar10-jpeg", 25),
    "cifar-50": ("cifar", "cifar10-jpeg", 50),
    "cifar-100": ("cifar", "cifar10-jpeg", 100),
    "cifar-all": ("cifar-all", "cifar10-jpeg", 5000),
}
"""By name: the ways to train, the folder, and how many images a class train where that is not all."""
WHOLE = {("cifar-all", "scratch")}
"""The data and the recipe that train and test on the folder as it is."""
TICKS = (2, 5, 10, 30, 100, 300, 1000)
COLOURS = {
    "scratch": "#7f7f7f",
    "features": "#1f77b4",
    "finetune": "#d62728",
    "features, lite-2": "#7fb8e0",
    "finetune, lite-2": "#f09a9b",
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = options.add_subparsers(required=True, dest="verb")
    measuring = verbs.add_parser("measure")
    measuring.add_argument("folder", type=Path)
    measuring.add_argument("results", type=Path)
    measuring.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SETS)}; without one, all")
    measuring.add_argument("--seeds", type=int, default=5)
    measuring.add_argument("--recipes", nargs="+", default=list(COLOURS), choices=list(COLOURS))
    verbs.add_parser("table").add_argument("results", type=Path)
    plotting = verbs.add_parser("plot")
    plotting.add_argument("results", type=Path)
    plotting.add_argument("picture", type=Path)
    chosen = options.parse_args()
    if chosen.verb == "measure":
        measure(chosen)
    elif chosen.verb == "table":
        print("\n".join(table(read(chosen.results))))
    else:
        plot(read(chosen.results), chosen.picture)


def measure(chosen: argparse.Namespace) -> None:
    """Append a line for each training."""
    for name in chosen.names or SETS:
        ways, folder, images = SETS[name]
        for recipe in (recipe for recipe in chosen.recipes if recipe in WAYS[ways]):
            each = None if (name, recipe) in WHOLE else images
            for seed in range(chosen.seeds):
                line = {"data": name, "recipe": recipe, "seed": seed, "options": " ".join(WAYS[ways][recipe])}
                line |= one(chosen.folder / folder, each, [*WAYS[ways][recipe], "--seed", str(seed)])
                line["machine"] = machine(DEVICE)
                with chosen.results.open("a") as stream:
                    stream.write(json.dumps(line) + "\n")
                print(line, flush=True)


def one(data: Path, each: int | None, arguments: list[str]) -> dict[str, Any]:
    """One training and its test."""
    with tempfile.TemporaryDirectory() as place:
        source = data if each is None else subset(data, each, Path(place) / "images.csv")
        trained, tested = train_and_test(source, arguments)
    return {"accuracy": tested["accuracy"], "tested": tested["images"], "seconds": trained["seconds"]}


def subset(data: Path, each: int, table: Path) -> Path:
    """A table of the first images of each class, in the order of their names."""
    with table.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["file", "label", "split"])
        for split, most in (("train", each), ("test", TESTED)):
            for folder in sorted((data / split).iterdir()):
                for file in sorted(folder.iterdir())[:most]:
                    rows.writerow([file.resolve(), folder.name, split])
    return table


Groups = dict[str, dict[str, list[dict[str, Any]]]]


def read(results: Path) -> Groups:
    """The lines by data and recipe."""
    groups: Groups = defaultdict(lambda: defaultdict(list))
    for text in results.read_text().splitlines():
        line = json.loads(text)
        groups[line["data"]][line["recipe"]].append(line)
    return groups


def table(groups: Groups) -> list[str]:
    """Rows of Markdown: medians, with the range of the accuracies."""
    lines = [
        "| data | recipe | options | test accuracy, mean (range) | seconds, median | n |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for data, recipes in groups.items():
        for recipe, found in recipes.items():
            accuracies = [line["accuracy"] for line in found]
            span = f"{statistics.mean(accuracies):.2%} ({min(accuracies):.2%} to {max(accuracies):.2%})"
            seconds = statistics.median(line["seconds"] for line in found)
            lines.append(f"| {data} | {recipe} | `{found[0]['options']}` | {span} | {seconds:.0f} | {len(found)} |")
    return lines


def plot(groups: Groups, picture: Path) -> None:
    """Accuracy against seconds, a panel for each data set."""
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    plt.rcParams.update({"font.size": 9, "svg.fonttype": "none", "svg.hashsalt": "transfer"})
    columns = min(3, len(groups))
    rows = -(-len(groups) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(3.2 * columns, 2.7 * rows), squeeze=False, layout="constrained")
    for place, axis in enumerate(axes.flat):
        axis.set_visible(place < len(groups))
    for axis, (data, recipes) in zip(axes.flat, groups.items(), strict=False):
        for recipe, found in recipes.items():
            points = [(line["seconds"], 100 * line["accuracy"]) for line in found]
            axis.scatter(
                *zip(*points, strict=True), s=28, alpha=0.75, color=COLOURS[recipe], label=recipe, linewidths=0
            )
        axis.set_xscale("log")
        axis.set_xlim(TICKS[0], 1.3 * TICKS[-1])
        axis.set_xticks(TICKS, labels=map(str, TICKS))
        axis.minorticks_off()
        axis.set_title(data, loc="left", fontsize=10)
        axis.grid(alpha=0.25, linewidth=0.5)
        axis.spines[["top", "right"]].set_visible(False)
    labels = {recipe: Line2D([], [], marker="o", linewidth=0, color=colour) for recipe, colour in COLOURS.items()}
    figure.legend(labels.values(), labels.keys(), frameon=False, loc="outside lower center", ncols=len(labels))
    for axis in axes[:, 0]:
        axis.set_ylabel("test accuracy, %")
    for axis in axes[-1]:
        axis.set_xlabel("seconds, everything")
    figure.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    main()
