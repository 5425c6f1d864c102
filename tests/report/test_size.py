"""However large a data set and a network, the page stays small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

import fieldstone as fs
from fieldstone.data.dataset import Decoded
from fieldstone.data.manifest import LeftOut, Manifest, ManifestRow
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.model.model import Model
from fieldstone.network.build import build
from fieldstone.report.examination import examine
from fieldstone.report.facts import Facts
from fieldstone.report.page import render
from fieldstone.report.records import Epoch
from fieldstone.tasks.task import TASKS
from fieldstone.training.recipe import Recipe
from fieldstone.training.run import Run
from reports import Page

CLASSES, IMAGES, LARGEST = 1000, 50_000, 2_000_000


def facts_of_many() -> Facts:
    """1,000 classes, 50,000 images of noise, which no JPEG makes small, and 10,000 epochs of GoogLeNet."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (3, 224, 224), dtype=np.uint8)
    images = np.broadcast_to(noise, (IMAGES, *noise.shape))
    parts = ("train", "val", "train", "test")
    rows = tuple(
        ManifestRow(f"class number {n % CLASSES}/image {n}.jpg", None, n % CLASSES, parts[n // CLASSES % 4], "0")
        for n in range(IMAGES)
    )
    left_out = tuple(LeftOut(f"left {n}.jpg", "is cut") for n in range(5000))
    names = tuple(f"class number {n}" for n in range(CLASSES))
    manifest = Manifest("data", "folder", names, rows, left_out)
    preprocessing = Preprocessing(size=(224, 224), mean=(0.5,) * 3, std=(0.25,) * 3)
    decoded = Decoded(images, manifest, preprocessing, "key")
    design = fs.Design.named("googlenet").resolve(classes=CLASSES)
    about = {
        "recipe": Recipe().resolved(images=IMAGES, photos=True, precision="fp32").to_json(),
        "data": {"start": None},
        "metrics": {"kept": "epoch", "best_epoch": 7777, "validation": {"accuracy": 0.5, "loss": 2.0}},
        "versions": {"fieldstone": "0", "torch": "0"},
    }
    network = build(design, CLASSES)
    model = Model(network, TASKS["multiclass"], names, preprocessing, design, frozenset(), about, torch.device("cpu"))
    validation = manifest.indices("val")
    logits = torch.from_numpy(rng.normal(size=(len(validation), CLASSES)).astype(np.float32))
    examination = examine(
        model, "validation", logits, torch.from_numpy(manifest.targets[validation]), decoded, validation
    )
    epochs = tuple(
        Epoch(n, 0.1 / n, 3 / n, {"loss": 4 / n, "accuracy": 1 - 1 / n}, 9.0, 500.0 + n % 7) for n in range(1, 10_001)
    )
    summary = fs.inspect(design)
    return Facts(Run(Path("runs/1")), model, manifest, epochs, summary, decoded, None, examination, 1e5, False)


def test_a_report_of_very_much_stays_small() -> None:
    text = render(facts_of_many())
    assert 300_000 < len(text.encode()) < LARGEST
    page = Page(text)
    assert "the classes with the lowest F1 of 1,000" in page.text("right")
    assert "The 50 classes with the most images" in page.text("data")
    assert "and 4,980 more files" in page.text("data")
    (pairs, rates) = page.tables["right"]
    assert (len(pairs), len(rates), len(page.tables["data"][0])) == (21, 51, 52)
    assert len(page.all("img")) == 40 + 12 + 12 + 64
