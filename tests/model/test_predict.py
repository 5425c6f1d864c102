import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import fieldstone as fs
from fieldstone.cli import run
from fieldstone.errors import DataError, ImageError, ModelError
from fieldstone.training.recipe import Recipe

LAYERS = ["conv 6 3", "relu", "globalavgpool", "linear classes"]


@pytest.fixture(scope="module")
def model(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> fs.Model:
    design = fs.Design(input=(3, 16, 16), layers=LAYERS)
    return fs.train(photos, design=design, recipe=Recipe(epochs=2), out=tmp_path_factory.mktemp("runs") / "one")


def by_hand(model: fs.Model, file: Path) -> np.ndarray:
    """As the documentation says: shorter side to 16 by Pillow's bilinear, the centre, scaled, normalised."""
    image = Image.open(file).convert("RGB")  # 24 x 20
    width = image.width * 16 // image.height
    image = image.resize((width, 16), Image.Resampling.BILINEAR)
    left = (width - 16) // 2
    pixels = np.asarray(image.crop((left, 0, left + 16, 16)), dtype=np.float64).transpose(2, 0, 1) / 255
    mean, std = (np.array(values).reshape(3, 1, 1) for values in (model.preprocessing.mean, model.preprocessing.std))
    with torch.no_grad():
        logits = model.network(torch.tensor((pixels - mean) / std, dtype=torch.float32)[None])[0].double().numpy()
    return np.exp(logits) / np.exp(logits).sum()


@pytest.mark.parametrize(
    ("count", "named"),
    [(1, "'0' are"), (5, "'0', '1', '2', '3', '4' are"), (9, "'0', '1', '2', '3', '4' and 4 more are")],
)
def test_classes_that_the_model_does_not_know_are_named(
    model: fs.Model, tmp_path: Path, count: int, named: str
) -> None:
    for number in range(count):
        (tmp_path / str(number)).mkdir()
        Image.new("RGB", (20, 20), (number, 0, 0)).save(tmp_path / str(number) / "1.png")
    with pytest.raises(
        DataError, match=f"the classes {named} not among the model's: 'blue sky', 'zebra 🦓', '나무'; give"
    ):
        model.test(tmp_path)


def test_an_answer_is_what_the_documentation_says(model: fs.Model, photos: Path) -> None:
    file = sorted(photos.rglob("*.png"))[5]
    expected = by_hand(model, file)
    answer = model.predict(file)
    assert isinstance(answer, fs.Prediction)
    assert answer.label == model.classes[int(expected.argmax())]
    # Pillow's box resize and a cut after a resize differ by a grey level at most.
    assert dict(answer.top) == pytest.approx(dict(zip(model.classes, expected, strict=True)), abs=5e-3)
    assert answer.probability == answer.top[0][1]


def test_a_list_a_folder_and_a_pattern_keep_their_order(model: fs.Model, photos: Path) -> None:
    files = [str(file) for file in sorted(photos.rglob("*.png"))]
    backwards = model.predict(files[::-1])
    assert [answer.file for answer in backwards] == files[::-1]
    assert model.predict(str(photos)) == backwards[::-1]
    some = model.predict(str(photos / "*" / "0?.png"))
    assert [answer.file for answer in some] == [file for file in files if Path(file).stem < "10"]
    assert model.predict(iter([files[3]])) == [model.predict(files[3])]


def test_an_unreadable_image_is_an_answer_and_the_others_go_on(model: fs.Model, photos: Path, tmp_path: Path) -> None:
    good = sorted(photos.rglob("*.png"))[0]
    (tmp_path / "broken.png").write_bytes(good.read_bytes()[:100])
    first, broken, missing, last = model.predict([good, tmp_path / "broken.png", tmp_path / "none.png", good])
    assert first == last
    assert (broken.label, broken.probability, broken.top) == (None, None, ())
    assert broken.error
    assert missing.error
    assert json.loads(json.dumps(broken.to_json())) == {"file": str(tmp_path / "broken.png"), "error": broken.error}
    with pytest.raises(ImageError, match=r"none\.png"):
        model.predict(tmp_path / "none.png")


def test_an_image_in_memory_answers_as_its_file(model: fs.Model, photos: Path) -> None:
    file = sorted(photos.rglob("*.png"))[7]
    answer = model.predict(Image.open(file))
    assert answer.file is None
    assert answer.top == model.predict(file).top


def test_a_folder_or_pattern_without_an_image_is_an_error(model: fs.Model, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no image lies in this folder"):
        model.predict(tmp_path)
    with pytest.raises(DataError, match="no file matches this pattern"):
        model.predict(str(tmp_path / "*.jpg"))


def test_answers_do_not_depend_on_what_stands_beside_them(model: fs.Model, photos: Path) -> None:
    files = sorted(photos.rglob("*.png"))
    together = model.predict(files, top=1)
    for file, answer in zip(files[::17], together[::17], strict=True):
        assert model.predict(file, top=1).probability == pytest.approx(answer.probability, abs=1e-6)


@pytest.fixture
def overflowing(model: fs.Model, tmp_path: Path) -> fs.Model:
    """A model whose weights are finite, and whose answer to a bright image is not."""
    model.save(tmp_path / "model.safetensors")
    broken = fs.load(tmp_path / "model.safetensors", device="cpu")
    for name, value in broken.network.state_dict().items():
        value.fill_(1e30 if name.endswith("weight") else 0)
    Image.new("RGB", (20, 20), (255, 255, 255)).save(tmp_path / "bright.png")
    Image.new("RGB", (20, 20), (0, 0, 0)).save(tmp_path / "dark.png")
    return broken


def test_an_answer_that_is_not_finite_is_an_error_of_its_image(overflowing: fs.Model, tmp_path: Path) -> None:
    dark, bright = overflowing.predict([tmp_path / "dark.png", tmp_path / "bright.png"])
    assert (dark.error, dark.probability) == (None, pytest.approx(1 / 3))  # after relu nothing is left of it
    assert bright.to_json() == {
        "file": str(tmp_path / "bright.png"), "error": "the network's answer to this image is not finite",
    }  # fmt: skip
    with pytest.raises(ModelError, match=r"bright\.png: the network's answer to this image is not finite; take the"):
        overflowing.predict(tmp_path / "bright.png")


def test_answers_that_are_not_finite_have_no_figures(overflowing: fs.Model, tmp_path: Path) -> None:
    for name in overflowing.classes[:2]:
        (tmp_path / "data" / name).mkdir(parents=True)
    Image.new("RGB", (20, 20), (255, 250, 255)).save(tmp_path / "data" / overflowing.classes[0] / "1.png")
    Image.new("RGB", (20, 20), (0, 0, 9)).save(tmp_path / "data" / overflowing.classes[1] / "1.png")
    with pytest.raises(ModelError, match="the network's answers to 1 of 2 images are not finite; take the weights of"):
        overflowing.test(tmp_path / "data")


def test_a_program_reads_an_answer_that_is_not_finite(
    overflowing: fs.Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = overflowing.save(tmp_path / "overflowing.safetensors")
    assert run(["predict", str(file), str(tmp_path / "bright.png"), "--json", "--device", "cpu"]) == 1
    assert "not finite" in json.loads(capsys.readouterr().out)["error"]
