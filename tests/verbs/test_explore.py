"""`fieldstone explore`: what it writes and serves, and what it refuses."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import fieldstone as fs
from fieldstone.cli import run
from fieldstone.progress import Progress
from fieldstone.verbs.choosing.explorable import explorable

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "cat.png")
    return tmp_path / "cat.png"


def payload_of(page: Path) -> dict[str, Any]:
    found = re.search(
        r'<script type="application/json" id="payload">(.*?)</script>', page.read_text("utf-8"), re.DOTALL
    )
    assert found is not None
    payload: dict[str, Any] = json.loads(found[1])
    return payload


def test_a_file_holds_everything(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert run(["explore", "three-conv", str(photo), "-o", str(page)]) == 0
    assert capsys.readouterr().out == f"{page}\n"
    payload = payload_of(page)
    assert payload["live"] is None
    assert not payload["trained"]
    assert all("packed" in one for one in payload["arrays"].values())
    assert len(payload["why"]["classes"]) == 3
    assert page.stat().st_size < 1_000_000
    outside = re.findall(r'(?:src|href|action)\s*=\s*["\']?(?!data:|#)[a-z]+:', page.read_text("utf-8"))
    assert not outside


def test_a_trained_model_answers_as_predict_does(photos: Path, photo: Path, tmp_path: Path) -> None:
    design = fs.Design(input=(3, 16, 16), layers=["conv 8 3", "relu", "globalavgpool", "linear classes"], name="small")
    model = fs.train(photos, design=design, recipe=fs.Recipe(epochs=1), out=tmp_path / "run")
    fs.explore(tmp_path / "run", photo, out=tmp_path / "page.html")
    payload = payload_of(tmp_path / "page.html")
    answers = {payload["model"]["classes"][one["class"]]: one["value"] for one in payload["outputs"]["probabilities"]}
    assert answers == pytest.approx(dict(model.predict(photo).top), abs=1e-5)
    assert payload["trained"]
    assert payload["image"]["original"] == [80, 60]


def test_packed_numbers_are_the_maps(photo: Path, tmp_path: Path) -> None:
    fs.explore("three-conv", photo, out=tmp_path / "page.html")
    written = payload_of(tmp_path / "page.html")["arrays"]["weight/1"]
    planes = np.frombuffer(zlib.decompress(base64.b64decode(written["packed"])), np.uint8).reshape(4, -1)
    weight = np.ascontiguousarray(planes.T).view("<f4").reshape(written["shape"])
    network = explorable("three-conv", None, "cpu").network
    np.testing.assert_array_equal(weight, network.get_parameter("1.weight").detach().numpy())


def test_what_users_named_cannot_end_the_json(photos: Path, tmp_path: Path) -> None:
    name = HOSTILE.replace("/", "") + "</script><b>.png"
    photo = tmp_path / name.replace("/", "∕")
    Image.new("RGB", (20, 20)).save(photo)
    fs.explore("three-conv", photo, out=tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "<img" not in text
    assert payload_of(tmp_path / "page.html")["image"]["name"] == photo.name


def test_too_many_numbers_are_left_out_and_it_is_said(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fieldstone.verbs.explore.MOST_BYTES", 100_000)
    fs.explore("three-conv", photo, out=tmp_path / "page.html")
    payload = payload_of(tmp_path / "page.html")
    kept = [one for one in payload["arrays"].values() if "packed" in one]
    assert sum(4 * int(np.prod(one["shape"])) for one in kept) <= 100_000
    left = payload["arrays"]["map/1"]
    assert left["left_out"] == "53.5 KiB"
    assert left["preview"]["shape"] == [9, 37, 37]
    values = {"kept": len(kept), "all": len(payload["arrays"])}
    assert payload["model"]["notes"][-1] == {"key": "left_out", "values": values}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["three-konv", "cat.png"], "did you mean three-conv"),
        (["three-conv", "missing.png"], "missing.png"),
        (["three-conv", "text.png"], "text.png: not an image that Pillow can read; give an image"),
        (["cut.safetensors", "cat.png"], "cut.safetensors: "),
        (["three-conv", "cat.png", "--input", "3x32"], "3x32 is not one of images; explore a network that takes"),
        (["three-conv", "cat.png", "--input", "3x4x4"], "smaller than the 5x5 kernel"),
        (["three-conv", "cat.png", "-o", "nowhere/page.html"], "nowhere/page.html: cannot be written: "),
        (["colorsys:hls_to_rgb", "cat.png"], "a module does not say what input it takes"),
        (["three-conv", "cat.png", "--port", "99999"], "99999"),
    ],
    ids=lambda one: one if isinstance(one, str) else " ".join(one),
)
def test_bad_input_is_said_in_a_sentence(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str], said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\x00")
    assert run(["explore", *arguments]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out


def test_a_network_of_ones_own_needs_its_class(
    photos: Path, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(4 * 14 * 14, 3))
    fs.train(photos, network=network, input=(3, 16, 16), recipe=fs.Recipe(epochs=1), out=tmp_path / "run")
    assert run(["explore", str(tmp_path / "run"), str(photo), "-o", str(tmp_path / "page.html")]) == 2
    assert "network=YourNetwork()" in capsys.readouterr().err
    model = fs.load(tmp_path / "run", network=network)
    fs.explore(model, photo, out=tmp_path / "page.html")
    payload = payload_of(tmp_path / "page.html")
    answers = {payload["model"]["classes"][one["class"]]: one["value"] for one in payload["outputs"]["probabilities"]}
    assert answers == pytest.approx(dict(model.predict(photo).top), abs=1e-5)
    assert [block["layer"]["type"] for block in payload["blocks"]] == ["conv", "flatten", "linear"]


def test_infinite_weights_are_shown_as_they_are(photos: Path, photo: Path, tmp_path: Path) -> None:
    design = fs.Design(input=(3, 16, 16), layers=["conv 8 3", "relu", "globalavgpool", "linear classes"], name="small")
    model = fs.train(photos, design=design, recipe=fs.Recipe(epochs=1), out=tmp_path / "run")
    with torch.no_grad():
        next(model.network.parameters()).fill_(float("inf"))
    fs.explore(model, photo, out=tmp_path / "page.html")
    assert set(payload_of(tmp_path / "page.html")["outputs"]["logits"]) <= {"NaN", "Infinity", "-Infinity"}


def test_a_port_that_is_taken_is_said(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(["explore", "three-conv", str(photo), "--port", str(port), "--no-browser"]) == 2
    assert f"port {port} of 127.0.0.1 is taken; give another" in capsys.readouterr().err


def test_without_a_browser_the_address_is_enough(
    photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("webbrowser.open", lambda address: False)

    def stop(self: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fieldstone.explain.explorer.server.Explorer.serve_forever", stop)
    addresses: list[str] = []
    with Progress() as progress:
        assert fs.explore("three-conv", photo, ready=addresses.append, progress=progress) is None
    assert addresses[0].startswith("http://127.0.0.1:")
    assert (
        capsys.readouterr().err == "no browser can be opened here: open the address in one on this machine\nstopped\n"
    )


def test_the_page_is_served_until_it_is_interrupted(photo: Path) -> None:
    command = [sys.executable, "-m", "fieldstone", "explore", "three-conv", str(photo), "--no-browser", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"}) as process:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["address"]
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert "cat.png" in answer.read().decode()
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()


def test_no_file_but_a_page_is_replaced(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = photo.read_bytes()
    assert run(["explore", "three-conv", str(photo), "-o", str(photo)]) == 2
    assert "another file is there, which is no html page" in capsys.readouterr().err
    assert photo.read_bytes() == before
    page = tmp_path / "page.html"
    for _ in range(2):
        assert run(["explore", "three-conv", str(photo), "-o", str(page)]) == 0


def test_a_run_that_is_not_there_is_no_design(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explore", "runs/nosuch", str(photo)]) == 2
    assert "runs/nosuch: is not there; give a gallery name, a design file, a run or a model" in capsys.readouterr().err


def test_why_not_is_a_key_that_the_page_has_words_for(photo: Path, tmp_path: Path) -> None:
    flat = fs.Design(input=(3, 4, 4), layers=["flatten", "linear classes"], name="flat")
    pixels = fs.Design(input=(3, 8, 8), layers=["conv classes 3 padding=1"], name="pixels", classes=4)
    for given, reason in ((flat, "flat"), (pixels, "pixels"), (fs.Design.named("three-conv"), None)):
        fs.explore(given, photo, out=tmp_path / "page.html")
        payload = payload_of(tmp_path / "page.html")
        assert payload["why_not"] == reason
        assert (payload["why"] is None) == (reason is not None)
        assert payload["model"]["notes"] == [{"key": "untrained", "values": {}}]
    fs.explore("torchvision_by_hand:resnet18", photo, input=(3, 32, 32), out=tmp_path / "page.html")
    payload = payload_of(tmp_path / "page.html")
    assert payload["why_not"] is None
    best = [one["class"] for one in payload["outputs"]["probabilities"][:3]]
    assert list(payload["why"]["gradcam"]) == [str(place) for place in best]
    assert payload["why"]["effective"]
