"""The command line: parse, run one command, turn every outcome into an exit status."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from fieldstone import __version__
from fieldstone.commands import designing, figures, looking, reporting, training, using, weights
from fieldstone.commands.answers import DONE, INTERRUPTED, drop_output, failed
from fieldstone.commands.parsing import HELP, Command, overview, unknown
from fieldstone.errors import FieldstoneError

Commands = dict[str, "Command | Group"]


@dataclass(frozen=True)
class Group:
    """Commands under one name, in the order of the help; `options` are those that are typed before them."""

    about: str
    commands: Commands
    options: dict[str, str]

    @property
    def sentence(self) -> str:
        """What an overview says of it."""
        return self.about


FIELDSTONE = Group(
    "Convolutional networks in PyTorch from building blocks: checked, trained, tested, saved, explained.",
    {
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
        "weights": Group("Weights that other libraries have learned.", {"import": weights.import_}, {}),
    },
    {"--version": "Say which version this is."},
)
"""Each loads its verb's code when it is called."""


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
        status = _called(FIELDSTONE, "fieldstone", arguments)
        sys.stdout.flush()
    except FieldstoneError as fault:
        return failed(fault, as_json)
    except MemoryError:
        content = FieldstoneError(
            "this machine has too little memory", fix="close other programs, or give a smaller input, network or batch"
        )
        return failed(content, as_json)
    except BrokenPipeError:  # whoever read the output has gone
        drop_output()
        return DONE
    except OSError as fault:
        lost = drop_output()
        reason = (fault.strerror or str(fault)).lower()
        content = FieldstoneError(reason, file=fault.filename and str(fault.filename))
        return failed(content, as_json and not lost)
    except KeyboardInterrupt:
        status = INTERRUPTED
    if status == INTERRUPTED:
        print("interrupted", file=sys.stderr)
    return status


def _called(group: Group, name: str, words: Sequence[str]) -> int:
    """Run the command of a group that the first word names, and give its exit status."""
    if not words:
        raise FieldstoneError(f"{name} needs a command", fix=f"`{name} --help` lists them")
    first, *rest = words
    if first in HELP:
        sentences = {name: command.sentence for name, command in group.commands.items()}
        print(overview(name, group.about, sentences, group.options), end="")
        return DONE
    if first in group.options:  # there is one
        print(f"fieldstone {__version__}")
        return DONE
    found = group.commands.get(first)
    if found is None:
        known = [*group.options, *HELP] if first.startswith("-") else group.commands
        raise unknown("option" if first.startswith("-") else "command", first, known, name)
    if isinstance(found, Group):
        return _called(found, f"{name} {first}", rest)
    return found.call(rest, f"{name} {first}")
