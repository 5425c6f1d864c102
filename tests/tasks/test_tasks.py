import math

import numpy as np
import pytest
import torch

from fieldstone.errors import RecipeError
from fieldstone.tasks.choice import NAMES, outputs, task_name
from fieldstone.tasks.classification import calibration_error, classification_metrics, roc_area
from fieldstone.tasks.task import TASKS


def test_two_classes_are_binary_and_more_multiclass_unless_asked() -> None:
    assert [task_name(2), task_name(3), task_name(2, "multiclass")] == ["binary", "multiclass", "multiclass"]
    assert set(TASKS) == set(NAMES)
    assert {name: task.outputs(2) for name, task in TASKS.items()} == {name: outputs(name, 2) for name in NAMES}


@pytest.mark.parametrize(("classes", "asked"), [(3, "binary"), (2, "regression")])
def test_a_task_that_does_not_fit_is_refused(classes: int, asked: str) -> None:
    with pytest.raises(RecipeError, match=asked):
        task_name(classes, asked)


def test_the_binary_loss_is_the_cross_entropy_of_two_logits_of_which_one_is_zero() -> None:
    logits = torch.tensor([[-3.0], [0.5], [2.0], [40.0]])
    targets = torch.tensor([0, 1, 0, 1])
    pairs = torch.cat([torch.zeros_like(logits), logits], dim=1)
    for smoothing in (0.0, 0.1):
        ours = TASKS["binary"].loss(logits, targets, label_smoothing=smoothing)
        theirs = torch.nn.functional.cross_entropy(pairs, targets, label_smoothing=smoothing)
        torch.testing.assert_close(ours, theirs)


def test_class_weights_count_as_cross_entropy_counts_them() -> None:
    logits, targets = torch.tensor([[-3.0], [0.5], [2.0]]), torch.tensor([0, 1, 0])
    weights = torch.tensor([0.75, 1.5])
    pairs = torch.cat([torch.zeros_like(logits), logits], dim=1)
    expected = torch.nn.functional.cross_entropy(pairs, targets, weight=weights)
    torch.testing.assert_close(TASKS["binary"].loss(logits, targets, class_weights=weights), expected)
    torch.testing.assert_close(TASKS["multiclass"].loss(pairs, targets, class_weights=weights), expected)


def test_probabilities_of_a_binary_answer_keep_their_small_side() -> None:
    negative, positive = TASKS["binary"].decode(torch.tensor([[30.0]]))[0].tolist()
    assert positive == 1.0
    assert negative == pytest.approx(math.exp(-30), rel=1e-5)


def test_multiclass_probabilities_are_a_softmax() -> None:
    probabilities = TASKS["multiclass"].decode(torch.tensor([[0.0, math.log(2), math.log(5)]]))
    assert probabilities[0].tolist() == pytest.approx([1 / 8, 2 / 8, 5 / 8])


def test_figures_of_a_small_test_by_hand() -> None:
    # True classes a a a b b c; predicted a a b b a b.
    probabilities = torch.eye(3)[torch.tensor([0, 0, 1, 1, 0, 1])]
    figures = classification_metrics(probabilities, torch.tensor([0, 0, 0, 1, 1, 2]), ("a", "b", "c"))
    assert figures["confusion"] == [[2, 1, 0], [1, 1, 0], [0, 1, 0]]
    assert figures["accuracy"] == pytest.approx(3 / 6)
    assert figures["per_class"]["a"] == pytest.approx({"precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "images": 3})
    assert figures["per_class"]["b"] == pytest.approx({"precision": 1 / 3, "recall": 1 / 2, "f1": 2 / 5, "images": 2})
    assert figures["per_class"]["c"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "images": 1}


def test_the_calibration_error_is_the_gap_of_each_bin_weighted_by_its_images() -> None:
    # Four answers at 0.9, of which three are right: |0.75 - 0.9|. One at 0.6 that is right: |1 - 0.6|.
    probabilities = torch.tensor([[0.9, 0.1]] * 4 + [[0.6, 0.4]], dtype=torch.float64)
    targets = torch.tensor([0, 0, 0, 1, 0])
    assert calibration_error(probabilities, targets) == pytest.approx((4 * 0.15 + 1 * 0.4) / 5)


def test_the_roc_area_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(0)
    scores, targets = rng.integers(0, 12, 200), rng.integers(0, 2, 200)  # with many ties
    positive, negative = scores[targets == 1][:, None], scores[targets == 0][None, :]
    share = ((positive > negative) + 0.5 * (positive == negative)).mean()
    assert roc_area(torch.tensor(scores, dtype=torch.float32), torch.tensor(targets)) == pytest.approx(share)


def test_the_roc_area_of_one_class_alone_is_unknown() -> None:
    assert roc_area(torch.tensor([0.1, 0.2]), torch.tensor([1, 1])) is None
