"""What it takes to train the same again."""

from __future__ import annotations

import shlex

from markupsafe import Markup, escape

from fieldstone.data.manifest import printable
from fieldstone.geometry import format_shape
from fieldstone.model.model import UNNAMED
from fieldstone.model.weight_files import kind_of
from fieldstone.report.facts import Facts


def command(facts: Facts) -> str | None:
    """The command that trains the same again; None where Python has to give a network or a model."""
    design, start = facts.model.design, facts.model.about["data"].get("start")
    if design is None or (start is not None and start["name"] == UNNAMED):
        return None
    words = ["fieldstone", "train", facts.manifest.path]
    if start is None:
        words += ["--design", str(facts.run.design)]
    else:
        shape = (facts.model.preprocessing.channels, *facts.model.preprocessing.size)
        words += ["--start", start["name"], "--input", format_shape(shape)]
        words += ["--design", str(facts.run.design)] if kind_of(start["name"]) in ("torch", "safetensors") else []
    words += ["--recipe", str(facts.run.recipe), "--task", facts.model.task.name]
    threads = facts.model.about["versions"].get("threads")
    return shlex.join([*words, *(["--threads", str(threads)] if threads else [])])


def call(facts: Facts) -> str:
    """The same in Python, with what only Python has."""
    given = "network=YourNetwork()" if facts.model.design is None else "start=your_model"
    shape = format_shape((facts.model.preprocessing.channels, *facts.model.preprocessing.size))
    options = f"recipe={str(facts.run.recipe)!r}, task={facts.model.task.name!r}"
    return f"fieldstone.train({facts.manifest.path!r}, {given}, input={shape!r}, {options})"


def again(facts: Facts, data: str) -> Markup:
    """How the report is made anew with images to look at."""
    run = str(facts.run.path)
    if facts.model.design is None:
        return escape(printable(f"report({run!r}, data={data!r}, network=YourNetwork())"))
    command = escape(printable(shlex.join(["fieldstone", "report", run, "--data", data])))
    return command.replace(" --data ", Markup(' <span class="whole">--data</span> '))
