"""The words of a command to its values, and its help: argparse, which loads in a hundredth of a second."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Never

from fieldstone.errors import FieldstoneError

HELP = ("-h", "--help")
NO_OPTION = "\0"
"""Stands before a word after `--` while argparse looks at it, which would take one with a dash for an option."""
NEGATIVE = re.compile(r"-\.?\d")
LEAST_WIDTH, MOST_WIDTH, INDENT = 40, 100, 34
ASKED = "Show this message and exit."


@dataclass(frozen=True)
class Word:
    """An argument or an option: its names, and the rest of what `add_argument` takes."""

    names: tuple[str, ...]
    settings: Mapping[str, Any]

    @property
    def is_option(self) -> bool:
        return self.names[0].startswith("-")

    @property
    def is_switch(self) -> bool:
        """Whether there is its opposite, with `no-`."""
        return self.settings.get("action") is argparse.BooleanOptionalAction

    @property
    def takes_value(self) -> bool:
        return self.is_option and self.settings.get("action") in (None, "append")

    @property
    def is_needed(self) -> bool:
        """Whether the line of the usage has it."""
        return not self.is_option or bool(self.settings.get("required"))


@dataclass(frozen=True)
class Command:
    """A command: what it runs, whose first sentence the overview shows, and its words, in the order of the help.

    `run` takes the values by the words' names and gives the exit status.
    """

    run: Callable[..., int]
    words: tuple[Word, ...]

    @property
    def about(self) -> str:
        """What its help says."""
        return inspect.cleandoc(self.run.__doc__ or "")

    @property
    def sentence(self) -> str:
        """The first sentence of that."""
        return self.about.partition("\n")[0].partition(". ")[0].removesuffix(".") + "."

    def call(self, typed: Sequence[str], name: str) -> int:
        """Run it with what was typed; of `--help` the help alone.

        Raises:
            FieldstoneError: a word that it does not know, that is missing, or no value of its kind.
        """
        parser = self._parser(name)
        end = typed.index("--") if "--" in typed else len(typed)
        before, after = typed[:end], typed[end + 1 :]
        if any(word in HELP for word in before):
            print(parser.format_help(), end="")
            return 0
        words = [*self._joined(before, name), *(f"{NO_OPTION}{word}" for word in after)]
        values, too_many = parser.parse_known_intermixed_args(words)
        if too_many:
            listed = " ".join(repr(_bare(word)) for word in too_many)
            parser.error(f"{listed} {'is' if len(too_many) == 1 else 'are'} too many")
        return self.run(**{name: _bare(value) for name, value in vars(values).items()})

    def _joined(self, typed: Sequence[str], name: str) -> Iterator[str]:
        """Each option with its value as one word, so that this may begin with a dash.

        Raises:
            FieldstoneError: an option that there is not.
        """
        known = {one: word.takes_value for word in self.words for one in word.names} | dict.fromkeys(HELP, False)
        known |= {one.replace("--", "--no-"): False for word in self.words if word.is_switch for one in word.names}
        words = iter(typed)
        for word in words:
            option = word.partition("=")[0] if word.startswith("--") or not known.get(word[:2]) else word[:2]
            if known.get(word):
                value = next(words, None)
                if value is None or value in known:
                    raise _fault(f"{word} needs a value", name)
                yield f"{word}={value}" if word.startswith("--") else word + value
            elif word.startswith("-") and word != "-" and option not in known and not NEGATIVE.match(word):
                raise unknown("option", option, known, name)
            else:
                yield word

    def _parser(self, name: str) -> _Parser:
        parser = _Parser(
            prog=name, description=self.about, formatter_class=_Formatter, add_help=False, allow_abbrev=False
        )
        groups = {False: parser.add_argument_group("Arguments"), True: parser.add_argument_group("Options")}
        for word in self.words:
            groups[word.is_option].add_argument(*word.names, **word.settings)
        groups[True].add_argument(*HELP, action="store_true", default=argparse.SUPPRESS, help=ASKED)
        needed = sorted((word for word in self.words if word.is_needed), key=lambda word: not word.is_option)
        parser.usage = " ".join([name, "[OPTIONS]", *map(_place, needed)])
        return parser


def command(*words: Word) -> Callable[[Callable[..., int]], Command]:
    """What makes a command of a function, with these words."""
    return lambda run: Command(run, words)


def word(*names: str, **settings: Any) -> Word:
    """An argument by the name of its value, or an option by its own names; the rest is `add_argument`'s."""
    return Word(names, settings)


def flag(name: str, *, help: str, dest: str | None = None) -> Word:
    """An option without a value."""
    return Word((name,), {"action": "store_true", "help": help, **({} if dest is None else {"dest": dest})})


def switch(name: str, *, help: str) -> Word:
    """An option without a value, and its opposite; where neither is typed, the command says what holds."""
    return Word((name,), {"action": argparse.BooleanOptionalAction, "default": argparse.SUPPRESS, "help": help})


def whole(least: int | None = None, most: int | None = None) -> Callable[[str], int]:
    """What reads a whole number, within bounds."""
    bounds = "" if least is None else f" from {least} on" if most is None else f" from {least} to {most}"

    def read(text: str) -> int:
        if re.fullmatch(r"[+-]?\d{1,18}", text):
            value = int(text)
            if (least is None or value >= least) and (most is None or value <= most):
                return value
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number{bounds}")

    return read


def number(text: str) -> float:
    """Read a number."""
    try:
        return float(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from fault


def overview(name: str, about: str, commands: Mapping[str, str], options: Mapping[str, str]) -> str:
    """The help of what has commands.

    Args:
        commands, options: by their names, what they do.
    """
    import textwrap

    listed = _columns({**options, ", ".join(HELP): ASKED}), _columns(commands)
    told = textwrap.fill(about, _width() - 2, initial_indent="  ", subsequent_indent="  ")
    return f"Usage: {name} [OPTIONS] COMMAND [ARGS]...\n\n{told}\n\nOptions:\n{listed[0]}\n\nCommands:\n{listed[1]}\n"


def unknown(kind: str, given: str, names: Iterable[str], asking: str) -> FieldstoneError:
    """A command or an option that is not there."""
    from fieldstone.design.notation import nearest

    near = nearest(given, names)
    fix = f"did you mean {near}? `{asking} --help` lists what there is" if near else f"`{asking} --help` lists them"
    return FieldstoneError(f"there is no {kind} {given!r}", fix=fix)


def _fault(message: str, name: str) -> FieldstoneError:
    return FieldstoneError(message.replace(NO_OPTION, ""), fix=f"`{name} --help` lists what there is")


class _Parser(argparse.ArgumentParser):
    """One that raises what is wrong as a sentence of ours."""

    def error(self, message: str) -> Never:
        missing = message.removeprefix("the following arguments are required: ")
        if missing != message:
            message = f"{missing} {'are' if ', ' in missing else 'is'} missing"
        about = re.fullmatch(r"argument (\S+): (.*)", message, re.DOTALL)
        message = message if about is None else f"{about[1]} {about[2]}"
        raise _fault(message, self.prog)


class _Formatter(argparse.HelpFormatter):
    """Help in the plain form of other programs: `Usage:`, and an option's value once."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=INDENT, width=_width())

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, "Usage: " if prefix is None else prefix)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        names = ", ".join(action.option_strings)
        value = action.metavar if action.nargs != 0 else None
        return " ".join(part for part in (names, value) if isinstance(part, str) and part)


def _bare(value: Any) -> Any:
    """As it was typed."""
    if isinstance(value, list):
        return [_bare(one) for one in value]
    return value.removeprefix(NO_OPTION) if isinstance(value, str) else value


def _columns(rows: Mapping[str, str]) -> str:
    wide = max(map(len, rows)) + 2
    return "\n".join(f"  {name:<{wide}}{about}" for name, about in rows.items())


def _place(word: Word) -> str:
    """A word in the line of the usage."""
    name = str(word.settings["metavar"])
    if word.is_option:
        return f"{word.names[0]} {name}"
    return {"?": f"[{name}]", "+": f"{name}..."}.get(str(word.settings.get("nargs")), name)


def _width() -> int:
    import shutil  # only help is as wide as the terminal

    return min(max(shutil.get_terminal_size().columns, LEAST_WIDTH), MOST_WIDTH)
