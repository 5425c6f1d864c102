"""Test accuracy and time of whole trainings on the public image sets, one line each.

    python benchmarks/accuracy.py FOLDER [NAME ...] [--seeds 1]

FOLDER holds the unpacked sets (mnist, fashion-mnist, cifar10-jpeg, weather4, hymenoptera). Each training runs as a user
would run it, in a process of its own, from a cold cache: the seconds are those that `fieldstone train --json` gives,
decoding and validation included.
"""

import argparse
import statistics
from pathlib import Path

import torch

from machine import machine
from whole import train_and_test

TRAININGS = {
    "mnist": ["mnist", "--design", "lenet-5"],
    "fashion-mnist": ["fashion-mnist", "--recipe", "sgd", "--epochs", "9"],
    "cifar10-jpeg": ["cifar10-jpeg", "--recipe", "sgd", "--epochs", "15"],
    "weather4": ["weather4"],
    "hymenoptera": ["hymenoptera", "--recipe", "thorough"],
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(TRAININGS)}; without one, all")
    options.add_argument("--seeds", type=int, default=1)
    chosen = options.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"  # what `train` takes unasked
    print(machine(device), f"n = {chosen.seeds} seeds")
    for name in chosen.names or TRAININGS:
        data, *arguments = TRAININGS[name]
        results = [measure(chosen.folder / data, [*arguments, "--seed", str(seed)]) for seed in range(chosen.seeds)]
        accuracies, seconds, rates = zip(*results, strict=True)
        print(
            f"{name:<14} {' '.join(arguments):<32} test {statistics.median(accuracies):.2%} "
            f"({min(accuracies):.2%} to {max(accuracies):.2%}), {statistics.median(seconds):.0f} s, "
            f"{statistics.median(rates):,.0f} images/s",
            flush=True,
        )


def measure(data: Path, arguments: list[str]) -> tuple[float, float, float]:
    """Test accuracy, seconds and training images a second of one training."""
    trained, tested = train_and_test(data, arguments)
    return tested["accuracy"], trained["seconds"], trained["images_per_second"]


if __name__ == "__main__":
    main()
