"""The model file, held to its description by reading the bytes without safetensors."""

import base64
import hashlib
import json
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import fieldstone as fs
from fieldstone.errors import ModelError
from fieldstone.model.file import ModelFile, pack_keys, read_model_file, unpack_keys, write_model_file
from fieldstone.model.weight_files import kind_of
from fieldstone.training.recipe import Recipe

LAYERS = ["conv 6 3", "batchnorm", "relu", "maxpool 2", "globalavgpool", "linear classes"]


@pytest.fixture(scope="module")
def model(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> fs.Model:
    design = fs.Design(input=(3, 16, 16), layers=LAYERS, name="small")
    out = tmp_path_factory.mktemp("runs") / "one"
    return fs.train(photos, design=design, recipe=Recipe(epochs=2), out=out)


def parts(path: Path) -> tuple[dict[str, object], dict[str, object], bytes]:
    """Header, our metadata and tensor bytes of a safetensors file, by its specification."""
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    return header, json.loads(header["__metadata__"]["fieldstone"]), data[8 + size :]


def test_the_file_is_as_described_to_the_byte(model: fs.Model, tmp_path: Path) -> None:
    header, fields, payload = parts(model.save(tmp_path / "model.safetensors"))
    assert list(header["__metadata__"]) == ["fieldstone"]
    text = header["__metadata__"]["fieldstone"]
    assert text == json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    names = "classes data design format images metrics preprocessing recipe sha256 task versions"
    assert sorted(fields) == names.split()
    stated = fields.pop("sha256")
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())
    for name in sorted(header.keys() - {"__metadata__"}):
        start, end = header[name]["data_offsets"]
        digest.update(payload[start:end])
    assert digest.hexdigest() == stated


def test_the_images_it_knows_are_those_that_trained_or_validated(model: fs.Model, tmp_path: Path, photos: Path) -> None:
    _, fields, _ = parts(model.save(tmp_path / "model.safetensors"))
    rows = json.loads((model.run / "data.json").read_text(encoding="utf-8"))["rows"]
    keys = {hashlib.sha256((photos / row["file"]).read_bytes()).digest()[:8] for row in rows if row["split"] != "test"}
    assert base64.b64decode(fields["images"]) == b"".join(sorted(keys))
    assert unpack_keys(pack_keys(keys)) == keys


def test_the_same_model_is_the_same_file_and_loading_keeps_it(model: fs.Model, tmp_path: Path) -> None:
    first = model.save(tmp_path / "first.safetensors").read_bytes()
    assert model.save(tmp_path / "second.safetensors").read_bytes() == first
    assert fs.load(tmp_path / "first.safetensors").save(tmp_path / "third.safetensors").read_bytes() == first
    assert (model.run / "model.safetensors").read_bytes() == first


def test_a_new_process_gives_the_same_logits_to_the_bit(model: fs.Model, tmp_path: Path) -> None:
    file = model.save(tmp_path / "model.safetensors")
    inputs = torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.save(inputs, tmp_path / "inputs.pt")
    with torch.no_grad():
        expected = model.network(inputs)
    code = (
        "import sys, torch, fieldstone\n"
        "model = fieldstone.load(sys.argv[1])\n"
        "with torch.no_grad(): torch.save(model.network(torch.load(sys.argv[2])), sys.argv[3])"
    )
    command = [sys.executable, "-c", code, file, tmp_path / "inputs.pt", tmp_path / "logits.pt"]
    subprocess.run(command, check=True)
    assert torch.equal(torch.load(tmp_path / "logits.pt"), expected)


def test_a_file_cut_at_any_byte_is_refused(model: fs.Model, tmp_path: Path) -> None:
    whole = model.save(tmp_path / "model.safetensors").read_bytes()
    cut = tmp_path / "cut.safetensors"
    for length in [*range(600), *range(600, len(whole), 37), len(whole) - 1]:
        cut.write_bytes(whole[:length])
        with pytest.raises(ModelError, match="is no whole model file"):
            fs.load(cut)


def test_a_file_altered_at_any_byte_is_refused(model: fs.Model, tmp_path: Path) -> None:
    whole = model.save(tmp_path / "model.safetensors").read_bytes()
    altered = tmp_path / "altered.safetensors"
    for place in [*range(0, len(whole), 61), len(whole) - 1]:
        altered.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ModelError, match=r"no whole model|was altered|no model that Fieldstone wrote|has format"):
            fs.load(altered)


def test_another_format_number_is_refused(model: fs.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("fieldstone.model.file.FORMAT", 7)
        file = model.save(tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="has format 7; this Fieldstone reads format 2"):
        fs.load(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no whole model"),
        (
            b"PK\x03\x04 a pickle",
            "is no model that Fieldstone wrote; of weights alone make one: fieldstone",
        ),
        (b"\x80\x02}q\x00.", "is no model that Fieldstone wrote; of weights alone make one: fieldstone"),
    ],
)
def test_what_is_no_safetensors_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=message):
        fs.load(tmp_path / "model.safetensors")


def test_a_safetensors_file_from_elsewhere_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors", metadata={"format": "pt"})
    for load in (fs.load, fs.inspect):
        with pytest.raises(ModelError, match=r"is no model that Fieldstone wrote; .* weights import \S+ --design NAME"):
            load(tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="is not there"):
        fs.load(tmp_path / "none.safetensors")


def test_weights_of_another_network_are_refused_by_name_and_shape(model: fs.Model, tmp_path: Path) -> None:
    content = read_model_file(model.save(tmp_path / "model.safetensors"))
    content.tensors["1.weight"] = torch.zeros(7, 3, 3, 3)
    write_model_file(tmp_path / "other.safetensors", ModelFile(content.fields, content.tensors))
    with pytest.raises(
        ModelError, match=r"first '1.weight', \(7, 3, 3, 3\) float32 in the file, \(6, 3, 3, 3\) float32 in the network"
    ):
        fs.load(tmp_path / "other.safetensors")


@pytest.mark.parametrize(("old", "new"), [(b'"1.weight"', b'"1.weighu"'), (b'"shape":[6,3,3,3]', b'"shape":[3,6,3,3]')])
def test_an_altered_name_or_shape_of_a_tensor_is_an_alteration(
    model: fs.Model, tmp_path: Path, old: bytes, new: bytes
) -> None:
    whole = model.save(tmp_path / "model.safetensors").read_bytes()
    assert whole.count(old) == 1
    (tmp_path / "altered.safetensors").write_bytes(whole.replace(old, new))
    with pytest.raises(ModelError, match=r"was altered after it was saved.*; take the file that training wrote"):
        fs.load(tmp_path / "altered.safetensors")
    with pytest.raises(ModelError, match=r"does not fit the network: .*; give the network that was trained"):
        fs.load(tmp_path / "altered.safetensors", network=model.network)


def test_a_name_that_is_no_utf_8_is_named(model: fs.Model, tmp_path: Path) -> None:
    odd = replace(model, classes=("ant", "bee", "caf\udce9"))
    with pytest.raises(ModelError, match=r"a name in it is not UTF-8, near .*caf\\udce9.*; give it another name"):
        odd.save(tmp_path / "model.safetensors")


def test_a_file_that_claims_a_huge_network_costs_nothing(model: fs.Model, tmp_path: Path) -> None:
    content = read_model_file(model.save(tmp_path / "model.safetensors"))
    content.fields["design"] = content.fields["design"].replace("conv 6 3", "conv 900000000 3")
    write_model_file(tmp_path / "huge.safetensors", content)
    with pytest.raises(ModelError, match="does not fit the network"):
        fs.load(tmp_path / "huge.safetensors")


def test_every_kind_of_number_keeps_its_bits(tmp_path: Path) -> None:
    tensors = {
        "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
        "count": torch.tensor(7),
        "strided": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "empty": torch.zeros(0, 3),
    }
    fields = dict.fromkeys(
        ["design", "task", "classes", "preprocessing", "recipe", "data", "images", "metrics", "versions"], None
    )
    write_model_file(tmp_path / "some.safetensors", ModelFile(fields, tensors))
    back = read_model_file(tmp_path / "some.safetensors")
    assert back.fields == fields
    assert all(torch.equal(back.tensors[name], value) for name, value in tensors.items())


@pytest.mark.parametrize(
    "change",
    [
        {"task": "magic"}, {"task": []}, {"classes": 3}, {"classes": [1, 2]}, {"preprocessing": {}}, {"images": "%%"},
        {"preprocessing": None}, {"design": "layers: [conv 3 3"}, {"design": 7},
    ],
)  # fmt: skip
def test_fields_that_mean_nothing_are_refused(model: fs.Model, tmp_path: Path, change: dict[str, object]) -> None:
    content = read_model_file(model.save(tmp_path / "model.safetensors"))
    write_model_file(tmp_path / "odd.safetensors", ModelFile({**content.fields, **change}, content.tensors))
    with pytest.raises(ModelError, match=r"odd\.safetensors: holds fields that this Fieldstone does not understand"):
        fs.load(tmp_path / "odd.safetensors")


def test_the_kind_of_a_file_is_that_of_its_bytes(model: fs.Model, tmp_path: Path) -> None:
    """A safetensors file whose header is 640 bytes long begins as a pickle of protocol 2 does."""
    model.save(tmp_path / "model.bin")
    torch.save(model.network.state_dict(), tmp_path / "new.safetensors")
    torch.save(model.network.state_dict(), tmp_path / "old.safetensors", _use_new_zipfile_serialization=False)
    header = b'{"__metadata__":{"format":"pt"}}'.ljust(640)
    (tmp_path / "other.pth").write_bytes(len(header).to_bytes(8, "little") + header)
    (tmp_path / "text.yaml").write_text("name: small\ninput: 3x8x8\n", encoding="utf-8")
    (tmp_path / "empty.pth").touch()
    kinds = {path.name: kind_of(path) for path in tmp_path.iterdir()}
    assert kinds == {
        "model.bin": "model", "new.safetensors": "torch", "old.safetensors": "torch", "other.pth": "safetensors",
        "text.yaml": None, "empty.pth": None,
    }  # fmt: skip
    assert (kind_of(tmp_path), kind_of(tmp_path / "none")) == (None, None)
    assert fs.inspect(tmp_path / "model.bin").params == fs.inspect(model.design or "").params


def test_weights_that_torch_saved_are_no_design(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, tmp_path / "my w.pth")
    with pytest.raises(
        ModelError, match=r"of weights alone make one: fieldstone weights import '.*/my w\.pth' --design"
    ):
        fs.inspect(tmp_path / "my w.pth")
