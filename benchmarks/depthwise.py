"""Training steps of a network of depthwise convolutions in float32, in bfloat16, and with float32 gradients for those.

    python benchmarks/depthwise.py [--design efficientnet-lite-0] [--batch 16] [--rounds 5]

Images a second of one step (forward and backward) in evaluation mode, with random weights, the three in turns.
"""

import argparse
import statistics
import time

import torch
from torch import nn

from fieldstone.design.design import Design
from fieldstone.model.inference import place, to_fastest_format
from fieldstone.network.build import build
from fieldstone.training.depthwise import faster_depthwise
from fieldstone.training.memory import keep_freed_memory
from machine import machine

CPU = torch.device("cpu")
WAYS = {"fp32": (False, "fp32"), "bf16": (True, "fp32"), "bf16, depthwise gradients in fp32": (True, "bf16")}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--design", default="efficientnet-lite-0")
    options.add_argument("--batch", type=int, default=16)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    print(machine(), f"{torch.get_num_threads()} threads; {chosen.design}, batch {chosen.batch}, n = {chosen.rounds}")
    keep_freed_memory()
    design = Design.named(chosen.design)
    network = place(build(design, 10), CPU).eval()
    inputs = to_fastest_format(torch.randn(chosen.batch, *design.input))
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    for number in range(chosen.rounds + 1):
        for way, (low, depthwise) in WAYS.items():
            rate = chosen.batch / seconds_of_step(network, inputs, low, depthwise)
            if number:  # the first round warms up
                rates[way].append(rate)
    first = statistics.median(rates["bf16"])
    for way, found in rates.items():
        middle = statistics.median(found)
        print(f"{way:<36} {middle:6.1f} images/s ({min(found):.1f} to {max(found):.1f}), {middle / first:.2f} of bf16")


def seconds_of_step(network: nn.Module, inputs: torch.Tensor, low: bool, depthwise: str) -> float:
    network.zero_grad()
    began = time.perf_counter()
    with faster_depthwise(network, CPU, depthwise):
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            outputs = network(inputs)
        outputs.float().logsumexp(dim=1).sum().backward()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
