"""What a checkpoint puts before the names of a network, found by the names themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

PREFIXES = ("module.", "_orig_mod.", "model.")
"""What data parallelism, torch.compile and Lightning put before every name."""

SHARE = 0.5
LOOKED_FOR = 4
"""By so many of the names that are wanted a beginning is looked for, since a checkpoint may lack one."""


@dataclass(frozen=True)
class Below:
    """The tensors of a checkpoint whose names begin as a network's do there, without that beginning.

    Attributes:
        prefix: what they began with.
        outside: the names of all others.
        rivals: other beginnings with as many of the network's names.
    """

    tensors: Mapping[str, Tensor]
    prefix: str = ""
    outside: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What a person should know of it; nothing where the names are as they were."""
        return f"taken without the prefix {self.prefix!r}{self.apart}" if self.prefix else ""

    @property
    def apart(self) -> str:
        """How what is outside is said, after a prefix."""
        tops = dict.fromkeys(f"{name.split('.')[0]}.*" if "." in name else name for name in self.outside)
        return f", and what lacks it left out: {', '.join(tops)}" if tops else ""


def below(wanted: Sequence[str], tensors: Mapping[str, Tensor]) -> Below:
    """The tensors under the beginning that gives them the most of the names that are wanted.

    All, as they are, where no beginning gives them half of these. Of several the empty one is taken, then one of
    `PREFIXES`; else they are rivals.
    """
    counts = {prefix: sum(prefix + name in tensors for name in wanted) for prefix in _prefixes(wanted, tensors)}
    most = max(counts.values(), default=0)
    if most < SHARE * len(wanted) or counts.get("") == most:
        return Below(tensors)
    best = [prefix for prefix, count in counts.items() if count == most]
    chosen = next((prefix for prefix in PREFIXES if prefix in best), best[0])
    under = {name.removeprefix(chosen): one for name, one in tensors.items() if name.startswith(chosen)}
    outside = tuple(name for name in tensors if not name.startswith(chosen))
    rivals = () if chosen in PREFIXES else tuple(prefix for prefix in best if prefix != chosen)
    return Below(under, chosen, outside, rivals)


def _prefixes(wanted: Sequence[str], names: Collection[str]) -> list[str]:
    """What stands before a name that is wanted, somewhere, in the order of the checkpoint."""
    some = wanted[:LOOKED_FOR]
    found = (name.removesuffix(one) for name in names for one in some if f".{name}".endswith(f".{one}"))
    return list(dict.fromkeys(found))
