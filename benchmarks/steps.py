"""Training steps a second against a careful loop in plain PyTorch, in turns, a process each time.

    python benchmarks/steps.py [--rounds 7] [--steps 64] [--images 60000] [--threads N] [--device cuda]

Both train the same layers (conv 32 3, pool 2, conv 64 3, pool 2, linear 128, linear 10 at 1x28x28, batch 128, SGD) on
the same random images, as many as MNIST has. (With 8,192 of them, `--images 8192`, the blocks that are freed while they
are normalised teach glibc to keep blocks, which `train` asks for in any case.) The careful loop holds all images in
memory as normalised float32, indexes them by a permutation, has channels last, the activation before the pooling as
tutorials write it, and computes in float32.
Fieldstone's loop is the one that `train` runs: 8-bit images, no augmentation, pooling before the activation; once in
float32, once in bfloat16 where the device has it. On a GPU the careful loop keeps its images there.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from fieldstone.data.batches import Batches
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.design.design import Design
from fieldstone.model.inference import Normalise, place
from fieldstone.network.build import build
from fieldstone.progress import Progress
from fieldstone.tasks.task import TASKS
from fieldstone.training.checkpoint import Progressed
from fieldstone.training.loop import Loop
from fieldstone.training.memory import keep_freed_memory
from fieldstone.training.optimizer import make_optimizer
from fieldstone.training.precision import best_precision
from fieldstone.training.recipe import Recipe
from machine import machine

BATCH = 128
PEER = "careful loop, fp32"
LAYERS = [
    "conv 32 3 padding=1", "maxpool 2", "relu", "conv 64 3 padding=1", "maxpool 2", "relu",
    "flatten", "linear 128", "relu", "linear classes",
]  # fmt: skip


def careful_loop(images: np.ndarray, targets: np.ndarray, device: torch.device) -> Callable[[int], None]:
    """A plain loop without a loader, as an attentive user writes it."""
    inputs = (torch.from_numpy(images).float() / 255 - 0.5) / 0.25
    inputs = inputs.to(device, memory_format=torch.channels_last)
    labels = torch.from_numpy(targets).to(device)
    network = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, 10),
    ).to(device)  # fmt: skip
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    loss_of = nn.CrossEntropyLoss()

    def train(steps: int) -> None:
        order = torch.randperm(len(inputs), device=device)
        for step in range(steps):
            rows = order[step * BATCH : (step + 1) * BATCH]
            optimizer.zero_grad()
            loss = loss_of(network(inputs[rows]), labels[rows])
            loss.backward()
            optimizer.step()

    return train


def fieldstone_loop(
    images: np.ndarray, targets: np.ndarray, precision: str, device: torch.device
) -> Callable[[int], None]:
    """The loop of `fieldstone train`, without validation."""
    task = TASKS["multiclass"]
    network = place(build(Design(input=(1, 28, 28), layers=LAYERS), 10), device)
    normalise = Normalise(Preprocessing(size=(28, 28), channels=1, mean=(0.5,), std=(0.25,))).to(device)
    recipe = Recipe(epochs=1, batch_size=BATCH, optimizer="sgd", learning_rate=0.01, schedule="constant").resolved(
        images=len(images), photos=False, precision=precision
    )
    optimizer = make_optimizer(network, recipe, device, rates={})

    def train(steps: int) -> None:
        rows = np.random.default_rng(1).permutation(len(images))[: steps * BATCH]
        batches = Batches(images, targets, rows, BATCH, device=device, seed=0, augment=())
        loop = Loop(
            network=network, normalise=normalise, task=task, batches=batches, recipe=recipe, optimizer=optimizer,
            device=device, class_weights=None, validation=None, after_epoch=lambda line, kept: None, save=lambda: None,
            stop=lambda: False, at=Progressed(),
        )  # fmt: skip
        with Progress.quiet().bar("", 1) as bar:
            loop.run(bar)

    return train


def measure(name: str, steps: int, count: int, device: torch.device) -> float:
    """Images a second of one loop in this process, after a warm-up."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 1, 28, 28), dtype=np.uint8)
    targets = rng.integers(0, 10, count)
    if name == PEER:
        train = careful_loop(images, targets, device)
    else:
        keep_freed_memory()
        train = fieldstone_loop(images, targets, name.removeprefix("fieldstone, "), device)
    train(steps // 4)
    wait(device)
    start = time.perf_counter()
    train(steps)
    wait(device)
    return steps * BATCH / (time.perf_counter() - start)


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--steps", type=int, default=64)
    options.add_argument("--images", type=int, default=60_000)
    options.add_argument("--threads", type=int, default=torch.get_num_threads())
    options.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    options.add_argument("--only", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.images < chosen.steps * BATCH:
        options.error(f"{chosen.steps} steps of {BATCH} need {chosen.steps * BATCH:,} images, not {chosen.images:,}")
    torch.set_num_threads(chosen.threads)
    if chosen.only:
        print(measure(chosen.only, chosen.steps, chosen.images, chosen.device))
        return
    names = [PEER, "fieldstone, fp32"]
    if best_precision(chosen.device) == "bf16":
        names.append("fieldstone, bf16")
    rates: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(chosen.rounds):
        for name in names:  # a process each: memory settings of one must not serve the other
            command = [
                sys.executable,
                __file__,
                "--only",
                name,
                "--steps",
                str(chosen.steps),
                "--images",
                str(chosen.images),
            ]
            done = subprocess.run(
                [*command, "--threads", str(chosen.threads), "--device", str(chosen.device)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            rates[name].append(float(done.stdout))
    print(
        machine(str(chosen.device)),
        f"n = {chosen.rounds} processes each, in turns, {chosen.steps} steps of {BATCH} of {chosen.images:,} images",
    )
    for name, values in rates.items():
        ratio = statistics.median(values) / statistics.median(rates[PEER])
        spread = f"{min(values):,.0f} to {max(values):,.0f}"
        print(f"{name:<20} {statistics.median(values):>8,.0f} images/s ({spread})  {ratio:.2f} x")


if __name__ == "__main__":
    main()
