"""Plain PyTorch: the printed file against our own network, as text, and as a program."""

from __future__ import annotations

import ast
import io
import re
import runpy
import subprocess
import sys
import tokenize
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from strategies import OUTPUTS, STRATEGIES, designs
from torch import nn

from fieldstone.design import named
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.vocabulary import BLOCKS
from fieldstone.design.design import Design
from fieldstone.network.build import build
from fieldstone.network.code import plain_code
from fieldstone.network.code_layers import LAYERS
from fieldstone.network.code_network import STEPS

RANDOM = settings(deadline=None, suppress_health_check=list(HealthCheck))
RUFF = [sys.executable, "-m", "ruff"]
STYLE = ["--isolated", "--line-length", "100"]

# Torch says once that an even kernel with `same` copies its input; the printed file pads by itself.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")


def run_class(source: str) -> nn.Module:
    """The network of a printed file."""
    namespace: dict[str, Any] = {"__name__": "printed"}
    exec(compile(source, "printed.py", "exec"), namespace)
    network: nn.Module = namespace["Network"]()
    return network


def same_network(design: Design, classes: int, outputs: int) -> str:
    """Holds the printed network to the built one, with its weights carried over by order; gives the printed text."""
    source = plain_code(design, classes, outputs)
    built, printed = build(design, outputs), run_class(source)
    stir(built)
    weights = list(built.state_dict().values())
    assert [w.shape for w in printed.parameters()] == [w.shape for w in built.parameters()]
    assert [w.shape for w in printed.state_dict().values()] == [w.shape for w in weights]
    printed.load_state_dict(dict(zip(printed.state_dict(), weights, strict=True)))
    inputs = torch.randn(2, *design.input, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(printed.eval()(inputs), built.eval()(inputs), rtol=1e-5, atol=1e-6, equal_nan=True)
    return source


def stir(network: nn.Module) -> None:
    """Gives every weight and statistic a value of its own, so that two of one shape cannot be exchanged unseen."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape, generator=generator) * 0.4 + 0.1)


def checked_by_ruff(folder: Path) -> None:
    """Every file of a folder is laid out and written as ruff wants it."""
    rules = ["--select", "E,F,W,I,UP,B,C4,SIM,PTH,RUF,PIE"]
    for command in (["format", "--diff", *STYLE], ["check", *STYLE, *rules]):
        answer = subprocess.run([*RUFF, *command, str(folder)], capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stdout + answer.stderr


def only_in_comments(source: str) -> None:
    """Imports the standard library, torch, NumPy and Pillow, and names us in comments alone."""
    modules = set()
    for node in ast.walk(ast.parse(source)):
        modules |= {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
        modules |= {str(node.module)} if isinstance(node, ast.ImportFrom) else set()
    assert {name.split(".")[0] for name in modules} <= {*sys.stdlib_module_names, "torch", "numpy", "PIL"}
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    assert not [token for token in tokens if token.type != tokenize.COMMENT and "fieldstone" in token.string.lower()]


def design(shape: tuple[int, ...], *layers: Any, **fields: str) -> Design:
    return Design(shape, layers, **fields)


UNET = design(
    (3, 33, 33),
    {"repeat 2": ["conv 4 3", "relu"]},
    "save fine",
    "maxpool 2",
    {"residual": ["conv 4 3 padding=same", "batchnorm", "save deep", "relu", "multiply deep"]},
    {"branches multiply": [["conv 4 1"], ["conv 2 1", "elu", "conv 4 3 padding=1"], []]},
    "concat fine crop=true",
    ["conv 6 2 padding=same", "leakyrelu negative_slope=0.2"],
    "globalavgpool keepdims=true",
    "flatten",
    "linear classes",
)
NAMES = design(
    (2, 16, 16),
    "save x",
    "conv 2 2 padding=same padding_mode=reflect",
    "save self",
    "save class",
    "add x",
    "save l",
    {"repeat 2": ["save body", "tanh", "save never-read", {"residual": {"body": ["conv 2 1", "add body"],
     "shortcut": ["conv 2 1", "multiply input", "save body2", "add body2"]}}, "add torch-", "concat l", "conv 2 1"]},
    "add input",
    "globalmaxpool",
    "linear classes",
) if False else None  # fmt: skip
