"""One whole training and its test, as a user would run them: each command a process of its own, from a cold cache."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Whole(NamedTuple):
    """What `fieldstone train --json` and `fieldstone test --json` printed."""

    trained: dict[str, Any]
    tested: dict[str, Any]


def train_and_test(data: Path, arguments: Sequence[str]) -> Whole:
    """Train on data with the arguments of the command line, and test the model on the same data."""
    with tempfile.TemporaryDirectory() as place:
        environment = {**os.environ, "FIELDSTONE_CACHE": f"{place}/cache"}

        def run(*words: str) -> dict[str, Any]:
            command = [sys.executable, "-m", "fieldstone", *words, "--json"]
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
            answer: dict[str, Any] = json.loads(done.stdout)
            return answer

        trained = run("train", str(data), "--out", f"{place}/run", *arguments)
        return Whole(trained, run("test", f"{place}/run", str(data)))
