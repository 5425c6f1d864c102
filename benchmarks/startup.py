"""How long the command line takes to answer, over a bare interpreter's start.

    python benchmarks/startup.py [--rounds 15]

Modules are compiled once, as after any installation, also where the environment forbids to write bytecode.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from machine import machine

MODULE = """
import fieldstone as fs, torch
from fieldstone.network.build import build
with torch.device("meta"):
    network = build(fs.Design.named("resnet-50"), 1000)
repr(fs.inspect(network, (3, 224, 224)))
"""
COMMANDS = {
    "bare interpreter": ["-c", "pass"],
    "import fieldstone": ["-c", "import fieldstone"],
    "fieldstone --help": ["-m", "fieldstone", "--help"],
    "fieldstone inspect three-conv": ["-m", "fieldstone", "inspect", "three-conv"],
    "fieldstone inspect resnet-18": ["-m", "fieldstone", "inspect", "resnet-18"],
    "fieldstone inspect resnet-50": ["-m", "fieldstone", "inspect", "resnet-50"],
    "fieldstone designs": ["-m", "fieldstone", "designs"],
    "import torch": ["-c", "import torch"],
    "fs.inspect of a resnet-50 module": ["-c", MODULE],
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=15)
    rounds = options.parse_args().rounds
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as bytecode:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = bytecode
        for number in range(rounds + 1):
            for name, command in COMMANDS.items():
                start = time.perf_counter()
                subprocess.run([sys.executable, *command], env=environment, capture_output=True, check=True)
                if number:  # the first round warms the file cache and writes the bytecode
                    seconds[name].append(time.perf_counter() - start)
    print(machine(), f"n = {rounds} in turns")
    bare = statistics.median(seconds["bare interpreter"])
    for name, values in seconds.items():
        middle = statistics.median(values)
        print(f"{name:<32} {middle:.3f} s ({min(values):.3f} to {max(values):.3f}), {middle - bare:.3f} s over bare")


if __name__ == "__main__":
    main()
