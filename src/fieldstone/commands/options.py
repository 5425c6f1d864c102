"""The arguments and options that several commands have: how they are typed, and what the help says of them."""

from __future__ import annotations

from fieldstone.commands.parsing import flag, number, whole, word

DATA = word("path", metavar="DATA", help="A folder of class folders, a CSV, IDX or CIFAR files, or demo-digits.")
MODEL = word("model", metavar="MODEL", help="A run folder, a model file, or efficientnet-lite-0, -1 or -2.")
JSON = flag("--json", dest="as_json", help="Print one JSON object on standard output.")
SHAPE = word("--input", dest="shape", metavar="CxHxW", help="The input shape, as in 3x64x64.")
CLASSES = word("--classes", type=whole(1), metavar="N", help="How many classes the head has.")
WIDTH = word("--width", type=number, metavar="X", help="Times every number of filters, as in 0.5.")
NETWORK = word("--network", metavar="MODULE", help="A network of your own, as package.module:Factory.")
TASK = word("--task", metavar="TASK", help="binary or multiclass; without it, binary for two classes.")
DEVICE = word("--device", metavar="DEVICE", help="Such as cpu or cuda; without it the accelerator, if any.")
THREADS = word("--threads", type=whole(1), metavar="N", help="How many processor threads compute.")
STRICT = flag("--strict", help="A damaged image is an error, not left out.")
