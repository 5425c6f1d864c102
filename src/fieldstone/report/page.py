"""The report as one page of HTML."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from fieldstone.analysis.passes import Passes
from fieldstone.analysis.summary import Summary
from fieldstone.data.manifest import printable
from fieldstone.report import calibration, images, repeating, tables
from fieldstone.report.examination import Examination
from fieldstone.report.facts import Facts
from fieldstone.report.filters import first_filters
from fieldstone.report.plots import Curve, Panel
from fieldstone.report.records import Epoch
from fieldstone.report.wording import breakable, counted, duration, figure, likely_range, percent

PICTURES = 12
PAIRS = 20
MOST_LEFT_OUT = 20
ICONS = {"error": "✕", "warning": "▲", "note": "•"}
"""Of the findings, in the order that they are shown."""
HERE = Path(__file__).parent


def render(facts: Facts) -> str:
    """The text of `report.html`."""
    return _rendered(
        "report.html.jinja",
        facts=facts,
        title=f"{facts.network_name} on {Path(facts.manifest.path).name or facts.manifest.path}",
        panels=panels(facts),
        network=_network(facts.network),
        data=_data(facts),
        examined=None if facts.examination is None else _examined(facts, facts.examination),
        filters=first_filters(facts.model.network),
        command=repeating.command(facts) or repeating.call(facts),
        again=partial(repeating.again, facts),
        icons=ICONS,
    )


def fault_page(run: str, fault: str) -> str:
    """The page that stands in the run where its report could not be made; no template, since that may be the fault."""
    lines = (f"The report was not made: {fault}", f"The model is saved. Try again: fieldstone report {_quoted(run)}")
    said = "\n".join(f"<p>{escape(printable(line))}</p>" for line in lines)
    return f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>no report</title>\n{said}\n</html>\n'


def _rendered(template: str, **content: Any) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "figure": figure,
        "counted": counted,
        "duration": duration,
        "breakable": breakable,
        "quoted": _quoted,
    }
    style = Markup((HERE / "style.css").read_text(encoding="utf-8"))
    return printable(environment.get_template(template).render(style=style, **content))


def _quoted(word: object) -> str:
    """A word of a command as a shell takes it."""
    return shlex.quote(str(word))


def panels(facts: Facts) -> list[Markup]:
    """Loss, metric, learning rate and speed over the epochs; none of one epoch alone."""
    epochs = facts.epochs
    if len(epochs) < 2:
        return []
    numbers = [epoch.number for epoch in epochs]
    losses = [Curve("training", [epoch.train_loss for epoch in epochs])]
    named = next((tuple(epoch.validation) for epoch in epochs if epoch.validation), ())
    checked = {name: Curve("validation", [_checked(epoch, name) for epoch in epochs]) for name in named}
    losses += [checked.pop("loss")] if "loss" in checked else []
    metrics = [
        Panel(name.capitalize().replace("_", " "), [curve], numbers, facts.best_epoch, shares=name == "accuracy")
        for name, curve in checked.items()
    ]
    rates = Curve("alone", [epoch.learning_rate for epoch in epochs])
    speeds = Curve("alone", [epoch.images_per_second for epoch in epochs])
    every = [
        Panel("Loss", losses, numbers, facts.best_epoch if named else None),
        *metrics,
        Panel("Learning rate", [rates], numbers),
        Panel("Images per second", [speeds], numbers),
    ]
    return [panel.svg() for panel in every]


def _checked(epoch: Epoch, name: str) -> float | None:
    return None if epoch.validation is None else epoch.validation.get(name)


def _network(network: Summary | str) -> dict[str, Any]:
    if isinstance(network, str):
        return {"fault": network}
    drawing = network.to_svg()
    return {
        "fault": None,
        "drawing": Markup(drawing),
        "width": drawing.partition(' width="')[2].partition('"')[0],
        "findings": sorted(Passes(network.rows).folded(network.findings), key=lambda one: [*ICONS].index(one.severity)),
        "allowed": dict(network.allow),
        "params": network.params,
        "macs": network.macs,
    }


def _data(facts: Facts) -> dict[str, Any]:
    left_out = facts.manifest.left_out
    return {
        "rows": images.class_rows(facts),
        "totals": images.totals(facts),
        "sizes": "" if facts.decoded is None else facts.decoded.sizes,
        "notes": () if facts.decoded is None else facts.decoded.notes,
        "left_out": left_out[:MOST_LEFT_OUT],
        "left_out_more": max(0, len(left_out) - MOST_LEFT_OUT),
    }


def _examined(facts: Facts, examination: Examination) -> dict[str, Any]:
    wrong = int((examination.predicted != examination.targets).sum())
    accuracy = examination.figures["accuracy"]
    rows = tables.matrix(examination)
    return {
        "part": examination.part,
        "fitted": facts.fitted_validation and examination.part == "validation",
        "count": examination.count,
        "figures": examination.figures,
        "range": likely_range(accuracy, examination.count),
        "largest_class": examination.largest_class,
        "wrong": wrong,
        "mistakes": images.seen(facts, examination.mistakes(PICTURES)),
        "doubtful": images.seen(facts, examination.doubtful(PICTURES)),
        "pairs": examination.confused(PAIRS),
        "matrix": rows,
        "upright": tables.stands_upright(rows),
        "per_class": tables.per_class(examination),
        "reliability": calibration.diagram(examination.bins),
    }
