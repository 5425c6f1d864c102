"""One image through a network, and what every block made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from fieldstone.design.names import INPUT
from fieldstone.explain.explorer.classes import last_map
from fieldstone.explain.explorer.parts import Part
from fieldstone.explain.watching import outputs_of
from fieldstone.model.inference import evaluating


@dataclass(frozen=True, eq=False)
class Recording:
    """What happened to one image.

    Attributes:
        maps: by path of a part, and `input`: (C, H, W), or (C,) once flattened; float32 on the CPU, contiguous.
        logits: (outputs,), or (outputs, H, W) of a class a pixel.
        last_map: the path of the last map with rows and columns that the answer hangs on, by gradients; None for none.
        is_cut: whether there are such maps, but no gradient comes back to any of them.
    """

    maps: Mapping[str, Tensor]
    logits: Tensor
    last_map: str | None
    is_cut: bool = False


def record(network: nn.Module, parts: Sequence[Part], image: Tensor) -> Recording:
    """Run a network once, in evaluation mode and float32.

    Args:
        network: built from the design whose parts these are; its modules stand at their paths.
        image: (C, H, W), as the first block reads it.
    """
    device = next((one.device for one in network.parameters()), image.device)
    with evaluating(network), outputs_of(network, [part.path for part in parts]) as maps:
        logits = network(image[None].to(device))
    everything = {**maps, INPUT: image[None]}
    on_cpu = {path: one[0].detach().float().cpu().contiguous() for path, one in everything.items()}
    last = last_map(parts)
    return Recording(on_cpu, logits[0].float().cpu(), None if last is None else last.path)
