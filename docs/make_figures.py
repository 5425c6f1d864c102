"""Make docs/figures: every figure of the guide, by the command that stands here.

python docs/make_figures.py [NAME...]
"""

import shlex
import sys
from pathlib import Path

from fieldstone.cli import run

FOLDER = Path(__file__).with_name("figures")

OWN = "--values grid.csv"
FIGURES = {
    "network.svg": "inspect three-conv --svg",
    "maxpool.svg": f"figure maxpool {OWN} --key --animate -o",
    "maxpool.gif": f"figure maxpool {OWN} -o",
    "maxpool-channels.svg": "figure maxpool --channels 3 --cell 36 --animate -o",
    "avgpool.svg": f"figure avgpool {OWN} --animate -o",
    "pooling-sizes.svg": "figure sizes -o",
    "conv.svg": f"figure conv {OWN} --weight kernel.csv --bias 1 --key --animate -o",
    "conv-channels.svg": "figure channels --animate -o",
    "dilation-1.svg": "figure conv --input 7 --weight cross.csv --cell 40 --animate -o",
    "dilation.svg": "figure dilation --weight cross.csv --key --cell 40 --animate -o",
    "dilation.gif": "figure dilation --weight cross.csv --cell 40 -o",
    "stride.svg": f"figure stride {OWN} --weight kernel.csv --animate -o",
    "upconv.svg": "figure upconv --animate -o",
    "padding.svg": "figure padding -o",
    "field.svg": "figure field --design three-conv --animate -o",
    "field-resnet-18.svg": "figure field --design resnet-18 -o",
    "gridding.svg": "figure gridding --key --animate -o",
}
"""By the file's name the command that makes it, but for the file."""

IN_KOREAN = (
    "maxpool.svg", "maxpool-channels.svg", "avgpool.svg", "pooling-sizes.svg", "conv.svg", "conv-channels.svg",
    "dilation-1.svg", "dilation.svg", "field.svg", "gridding.svg",
)  # fmt: skip


def commands() -> dict[str, list[str]]:
    """The words of every command by the file's name, those in Korean as `.ko.svg`."""
    made = {name: shlex.split(command) for name, command in FIGURES.items()}
    korean = {name.replace(".svg", ".ko.svg"): [*made[name][:-1], "--language", "ko", "-o"] for name in IN_KOREAN}
    tables = {path.name: str(path) for path in FOLDER.glob("*.csv")}
    return {name: [tables.get(word, word) for word in words] for name, words in {**made, **korean}.items()}


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    wanted = sys.argv[1:] or list(commands())
    return max(run([*commands()[name], str(FOLDER / name)]) for name in wanted)


if __name__ == "__main__":
    sys.exit(main())
