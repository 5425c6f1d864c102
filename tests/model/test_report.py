from fieldstone.model.evaluation import TestReport

REPORT = TestReport(
    task="binary",
    classes=("bee", "꿀벌 bees"),
    images=5,
    excluded_trained=1_203,
    figures={
        "loss": 0.25,
        "auroc": 0.9,
        "accuracy": 0.8,
        "calibration_error": 0.125,
        "per_class": {
            "bee": {"precision": 1.0, "recall": 2 / 3, "f1": 0.8, "images": 3},
            "꿀벌 bees": {"precision": 2 / 3, "recall": 1.0, "f1": 0.8, "images": 2},
        },
        "confusion": [[2, 1], [0, 2]],
    },
    left_out=({"file": "bees/x.jpg", "reason": "image file is truncated"},),
)


def test_a_report_reads_as_a_table_whose_columns_stand_under_each_other_on_a_terminal() -> None:
    # A Korean letter is two columns wide there.
    assert repr(REPORT).splitlines() == [
        "accuracy 80.00% on 5 images (1,203 that the model was trained or validated on are not counted)",
        "loss 0.2500   expected calibration error 0.1250   AUROC 0.9000",
        "",
        "class      precision  recall      F1  images",
        "bee           1.0000  0.6667  0.8000       3",
        "꿀벌 bees     0.6667  1.0000  0.8000       2",
        "",
        "confusion: a row is a true class, a column a predicted one, in the same order",
        "bee        2  1",
        "꿀벌 bees  0  2",
        "",
        "1 file left out:",
        "  bees/x.jpg: image file is truncated",
    ]


def test_a_program_reads_the_same_figures() -> None:
    assert REPORT.to_json() == {
        "task": "binary", "classes": ["bee", "꿀벌 bees"], "images": 5, "excluded_trained": 1_203, **REPORT.figures,
        "left_out": [{"file": "bees/x.jpg", "reason": "image file is truncated"}],
    }  # fmt: skip
