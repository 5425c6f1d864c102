"""Files of weights: what is read, what is said, and that nothing in them runs."""

from __future__ import annotations

import argparse
import hashlib
import os
import pickle
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import fieldstone as fs
from fieldstone.errors import ModelError
from fieldstone.model.file import ModelFile, write_model_file
from fieldstone.model.weights import read_weights


def state() -> OrderedDict[str, Tensor]:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).state_dict()


def saved(folder: Path, held: Any, name: str = "weights.pth", **how: Any) -> Path:
    torch.save(held, folder / name, **how)
    return folder / name


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("name", ["w.pth", "w.pt", "w.bin", "w.safetensors", "old.pth"])
def test_a_state_dict_is_read_as_it_is(name: str, tmp_path: Path) -> None:
    tensors, path = state(), tmp_path / name
    if name.endswith(".safetensors"):
        save_file(tensors, path, metadata={"format": "pt"})
    else:
        torch.save(tensors, path, _use_new_zipfile_serialization=not name.startswith("old"))
    read = read_weights(path)
    assert same(read.tensors, tensors)
    assert (read.notes, read.sha256) == ((), hashlib.sha256(path.read_bytes()).hexdigest())


def prefixed(prefix: str) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in STATE.items()}


STATE = state()
ONE = torch.ones(1)


@pytest.mark.parametrize(
    ("held", "notes"),
    [
        ({"model": STATE}, ["taken from its entry 'model'"]),
        ({"state_dict": STATE, "epoch": 3, "optimizer": {"lr": 0.1}},
         ["taken from its entry 'state_dict', without epoch, optimizer"]),
        ({"model_ema": STATE, "model": STATE, **dict.fromkeys("abcdefg", 1)},
         ["taken from its entry 'model', without model_ema, a, b, c, d and 3 more"]),
        ({"model_ema": STATE}, ["taken from its entry 'model_ema'"]),
        ({"state_dict_ema": STATE}, ["taken from its entry 'state_dict_ema'"]),
        ({"model_state_dict": STATE}, ["taken from its entry 'model_state_dict'"]),
        ({"net": STATE}, ["taken from its entry 'net'"]),
        ({"module": STATE, "epoch": 3, "optimizer": {"state": {0: {"step": torch.zeros(1)}}}},
         ["taken from its entry 'module', without epoch, optimizer"]),
        ({"net": STATE, "optimizer": {"state": {"weight": {"mean": ONE}}}, "rng": {"cpu": ONE.byte()}},
         ["taken from its entry 'net', without optimizer, rng"]),
        ({"run": {"network": STATE}}, ["taken from its entry 'run'", "taken from its entry 'network'"]),
        ({"model": {"state_dict": STATE}}, ["taken from its entry 'model'", "taken from its entry 'state_dict'"]),
        ({**STATE, "epoch": 3, 7: torch.zeros(1)}, ["left out, because they are no named tensors: epoch, 7"]),
        (prefixed("module."), ["taken without the prefix 'module.' of every name"]),
        (prefixed("_orig_mod."), ["taken without the prefix '_orig_mod.' of every name"]),
        ({"state_dict": prefixed("model.")},
         ["taken from its entry 'state_dict'", "taken without the prefix 'model.' of every name"]),
        (prefixed("module._orig_mod."), ["taken without the prefix 'module._orig_mod.' of every name"]),
        ({**prefixed("module."), "n_averaged": torch.tensor(3)}, ["taken without the prefix 'module.' of every name"]),
    ],
)  # fmt: skip
def test_what_training_programs_put_around_it_is_taken_off_and_said(
    held: dict[Any, Any], notes: list[str], tmp_path: Path
) -> None:
    read = read_weights(saved(tmp_path, held))
    assert list(read.notes) == notes
    assert same(read.tensors, STATE)


def test_parameters_are_taken_without_their_gradients(tmp_path: Path) -> None:
    held = nn.Linear(2, 2).state_dict(keep_vars=True)
    assert held["weight"].requires_grad
    read = read_weights(saved(tmp_path, held)).tensors
    assert same(read, held)
    assert not any(tensor.requires_grad for tensor in read.values())


def test_a_prefix_of_some_names_stays(tmp_path: Path) -> None:
    held = {"module.a": torch.zeros(1), "b": torch.zeros(1)}
    assert read_weights(saved(tmp_path, held)).tensors.keys() == held.keys()


def test_other_number_formats_are_said(tmp_path: Path) -> None:
    held = {"a": torch.zeros(1).half(), "b": torch.zeros(1).bfloat16(), "c": torch.zeros(1), "d": torch.tensor(1)}
    assert read_weights(saved(tmp_path, held)).notes == ("bfloat16 and float16 became float32",)


class Runs:
    """Makes a folder where the unpickler calls what it is told to."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.place),)


@pytest.mark.parametrize("legacy", [True, False])
def test_code_in_a_pickle_is_refused_and_not_run(legacy: bool, tmp_path: Path) -> None:
    path = saved(tmp_path, {"model": STATE, "x": Runs(tmp_path / "ran")}, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ModelError, match=r"holds more than tensors: posix\.mkdir; nothing of it was run; if you trust"):
        read_weights(path)
    assert not (tmp_path / "ran").exists()


def test_a_plain_pickle_that_runs_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "plain.pth"
    path.write_bytes(pickle.dumps(Runs(tmp_path / "ran")))
    with pytest.raises(ModelError, match=r"plain\.pth: (holds more than tensors|is no whole file)"):
        read_weights(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (nn.Linear(2, 2), r"holds more than tensors: torch\.nn\.modules\.linear\.Linear; nothing of it was run"),
        ({"args": argparse.Namespace(a=1), "model": STATE}, r"holds more than tensors: argparse\.Namespace"),
        ([torch.zeros(1)], "holds a list, not a state dict"),
        (torch.zeros(3), "holds a Tensor, not a state dict"),
        (None, "holds a NoneType, not a state dict"),
        ({}, "holds no named tensors"),
        ({"epoch": 3, "optimizer": {}}, "holds no named tensors"),
        ({"model": {}}, "holds no named tensors"),
        ({0: torch.zeros(1)}, "holds no named tensors"),
        ({"a": torch.zeros(2, 2).to_sparse()}, "a is not a plain tensor of real numbers; save it dense"),
        ({"a": torch.zeros(2, dtype=torch.complex64)}, "a is not a plain tensor of real numbers"),
        ({"a": torch.zeros(2, device="meta")}, "a has a shape and no numbers"),
    ],
)
def test_what_is_no_state_dict_is_refused(held: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=rf"weights\.pth: {message}"):
        read_weights(saved(tmp_path, held))


@pytest.mark.parametrize("held", [{"G": STATE, "D": STATE, "epoch": 1}, {"G": {"net": STATE}, "D": {"net": STATE}}])
def test_of_several_state_dicts_none_is_chosen(held: dict[str, Any], tmp_path: Path) -> None:
    message = (
        r"holds several state dicts: G, D; save the one that is meant alone: torch\.save\(torch\.load\(FILE\)\['G'\]"
    )
    with pytest.raises(ModelError, match=message):
        read_weights(saved(tmp_path, held))


def test_a_file_is_read_by_what_stands_in_it(tmp_path: Path) -> None:
    save_file(state(), tmp_path / "w.pth")
    torch.save(STATE, tmp_path / "w.safetensors")
    assert read_weights(tmp_path / "w.pth").tensors.keys() == STATE.keys()
    assert same(read_weights(tmp_path / "w.safetensors").tensors, STATE)


def test_a_checkpoint_within_itself_ends(tmp_path: Path) -> None:
    held: dict[str, Any] = {}
    held["model"] = held
    with pytest.raises(ModelError, match="holds no named tensors"):
        read_weights(saved(tmp_path, held))


@pytest.mark.parametrize("name", ["w.pth", "old.pth", "w.safetensors"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(name: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "w.safetensors":
        save_file(state(), path)
    else:
        torch.save(state(), path, _use_new_zipfile_serialization=name == "w.pth")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ModelError, match=rf"{name}: is no whole (file that torch.save wrote|safetensors file); get it"):
        read_weights(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("w.pth", b"", "is empty; get it again"),
        ("w.safetensors", b"", "is no whole safetensors file"),
        ("w.pth", b"<html>not found</html>", "is no whole file that torch.save wrote"),
        ("w.pth", b"version https://git-lfs.github.com/spec/v1\n", "is no whole file that torch.save wrote"),
        ("w.safetensors", b"PK\x03\x04", "is no whole file that torch.save wrote"),
        ("w.safetensors", b"{}", "is no whole safetensors file"),
    ],
)
def test_a_file_that_is_something_else_is_refused(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=rf"{name}: {message}"):
        read_weights(tmp_path / name)


def test_folders_and_missing_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is a folder; give the file of weights itself"):
        read_weights(tmp_path)
    for name in ("none.pth", "none.safetensors"):
        with pytest.raises(ModelError, match=rf"{name}: cannot be read: no such file or directory; check the path"):
            read_weights(tmp_path / name)


def test_a_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "program.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer torch would rather export
        torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), path)
    with pytest.raises(ModelError, match=r"program\.pt: holds a TorchScript program, not a state dict"):
        read_weights(path)


def test_a_fieldstone_model_needs_no_import(tmp_path: Path) -> None:
    design = fs.Design(input=(3, 8, 8), layers=["flatten", "linear classes"])
    path = tmp_path / "model.safetensors"
    write_model_file(path, ModelFile({"design": design.to_text()}, {"a": torch.zeros(1)}))
    with pytest.raises(ModelError, match="is a Fieldstone model, which needs no import; use it as it is: fieldstone"):
        read_weights(path)
