"""The command line: parse, run one command, turn every outcome into an exit status."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from fieldstone import __version__
from fieldstone.commands import designing, figures, looking, reporting, training, using, weights
from fieldstone.commands.answers import DONE, INTERRUPTED, drop_output, failed
from fieldstone.errors import FieldstoneError

COMMANDS: dict[str, Callable[..., int]] = {
    "data": training.data,
    "train": training.train,
    "test": using.evaluate,
    "predict": using.predict,
    "report": reporting.report,
    "inspect": designing.inspect,
    "designs": designing.designs,
    "code": designing.code,
    "explore": looking.explore,
    "figure": figures.figure,
}
"""In the order of the help. Each loads its verb's code when it is called."""

SETTINGS: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 100},
}

app = typer.Typer(**SETTINGS)


def _say_version(asked: bool) -> None:
    if asked:
        print(f"fieldstone {__version__}")
        raise typer.Exit(DONE)


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Convolutional networks in PyTorch from building blocks: checked, trained, tested, saved, explained."""


under_weights = typer.Typer(help="Weights that other libraries have learned.", **SETTINGS)
for name, command in COMMANDS.items():
    app.command(name)(command)
under_weights.command("import")(weights.import_)
app.add_typer(under_weights, name="weights")


def main() -> None:
    """The entry point: run, and turn every outcome into an exit status."""
    if sys.stdout is None:
        sys.exit(failed(FieldstoneError("standard output is closed", fix="send it to a file, or leave it open"), False))
    for stream in (sys.stdout, sys.stderr):  # a class may be called what the terminal cannot show
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:] or ["--help"]))


def run(arguments: list[str]) -> int:
    """One command, to its exit status."""
    as_json = "--json" in arguments
    try:
        status = app(arguments, standalone_mode=False) or DONE
        sys.stdout.flush()
    except FieldstoneError as fault:
        return failed(fault, as_json)
    except MemoryError:
        content = FieldstoneError(
            "this machine has too little memory", fix="close other programs, or give a smaller input, network or batch"
        )
        return failed(content, as_json)
    except (BrokenPipeError, SystemExit):  # whoever read the output has gone; typer exits then
        drop_output()
        return DONE
    except OSError as fault:
        lost = drop_output()
        reason = (fault.strerror or str(fault)).lower()
        content = FieldstoneError(reason, file=fault.filename and str(fault.filename))
        return failed(content, as_json and not lost)
    except typer.TyperException as fault:  # what was typed
        message = _with_value(fault.format_message().removesuffix("."), arguments)
        content = FieldstoneError(message, fix=f"`{_command_of(fault)} --help` lists what there is")
        return failed(content, as_json)
    if status == INTERRUPTED:
        print("interrupted", file=sys.stderr)
    return int(status)


def _command_of(fault: typer.TyperException) -> str:
    """The command whose words were wrong: `fieldstone weights import`, or `fieldstone` where it is not known."""
    names: list[str] = []
    context = getattr(fault, "ctx", None)
    while context is not None and context.parent is not None:
        names.insert(0, str(context.info_name))
        context = context.parent
    return " ".join(["fieldstone", *names])


def _with_value(message: str, arguments: list[str]) -> str:
    """What typer says of an option, and the value that was typed for it."""
    message = message.partition(", unable to parse")[0]
    named = re.search(r"for '(--[a-z-]+)'", message)
    if named is None or named[1] not in arguments[:-1]:
        return message
    return f"{message}, not {arguments[arguments.index(named[1]) + 1]!r}"
