"""What is wrong with a drift is found by its contract, and said."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from auditor.plugins import Drift, DriftContext
from auditor.plugins.contract import DriftContract

Data = tuple[Tensor, Tensor]


class Sound(Drift):
    """Adds the amount, in thousandths of the range."""

    name = "sound"

    def apply(self, samples: Tensor, labels: Tensor, amount: float, part: str) -> Data:
        return samples + round(amount * 100), labels


class Undescribed(Sound):
    def begin(self, context: DriftContext) -> None:
        self.context = context


class OnTextsOnly(Sound):
    tasks = frozenset({"text"})


class NeverStill(Sound):
    def apply(self, samples: Tensor, labels: Tensor, amount: float, part: str) -> Data:
        return samples + 1, labels


class Still(Sound):
    def apply(self, samples: Tensor, labels: Tensor, amount: float, part: str) -> Data:
        return samples.clone(), labels.clone()


class TurnsToNumbers(Sound):
    def apply(self, samples: Tensor, labels: Tensor, amount: float, part: str) -> Data:
        return samples.float(), labels


class Drops(Sound):
    def apply(self, samples: Tensor, labels: Tensor, amount: float, part: str) -> Data:
        return samples[1:], labels[1:]


class InventsClasses(Sound):
    def apply(self, samples: Tensor, labels: Tensor, amount: float, part: str) -> Data:
        return samples, labels + 10


class InPlace(Sound):
    def apply(self, samples: Tensor, labels: Tensor, amount: float, part: str) -> Data:
        labels.add_(0 if amount == 0 else 1).remainder_(10)
        return samples, labels


class Draws(Sound):
    def apply(self, samples: Tensor, labels: Tensor, amount: float, part: str) -> Data:
        return torch.where(torch.rand(samples.shape) < amount, 0, samples), labels


class Remembers(Sound):
    farthest = 0.0

    def apply(self, samples: Tensor, labels: Tensor, amount: float, part: str) -> Data:
        self.farthest = max(self.farthest, amount)
        return super().apply(samples, labels, self.farthest, part)


class TakesNothing(Sound):
    def apply(self, samples: Tensor, labels: Tensor, amount: float, part: str) -> Data:
        raise ValueError("use amounts of 1000 or more")


class BeginsNowhere(Sound):
    def begin(self, context: DriftContext) -> None:
        raise ValueError("the images are too small")


@pytest.mark.parametrize(
    ("drift", "check", "words"),
    [
        (Undescribed, "it_says_what_it_is", "Undescribed has no docstring"),
        (OnTextsOnly, "it_declares_the_task_and_can_serve_it", "'vision' is not among its tasks"),
        (BeginsNowhere, "it_declares_the_task_and_can_serve_it", "it does not begin: the images are too small"),
        (Undescribed, "it_refuses_tasks_that_it_does_not_declare", r"super\(\)\.begin\(context\)"),
        (NeverStill, "an_amount_of_zero_changes_nothing", "with an amount of 0 it changes the samples"),
        (Still, "it_changes_something", "with an amount of 4 it changes nothing"),
        (TurnsToNumbers, "what_it_returns_are_samples_and_labels", "samples are torch.float32"),
        (Drops, "what_it_returns_are_samples_and_labels", r"samples are torch.uint8 \[127, 1, 8, 8\]"),
        (InventsClasses, "what_it_returns_are_samples_and_labels", "there are 10 classes"),
        (InPlace, "it_changes_nothing_that_it_was_given", "changed the labels that it was given; work on a clone"),
        (Draws, "the_same_question_gets_the_same_answer", r"auditor\.plugins\.generator"),
        (Remembers, "the_order_of_amounts_does_not_matter", "keep nothing between calls"),
        (TakesNothing, "it_changes_something", "takes none of the amounts .*: use amounts of 1000 or more"),
    ],
)
def test_what_is_wrong_is_said(drift: type[Drift], check: str, words: str) -> None:
    contract: Any = type("Contract", (DriftContract,), {"drift": drift})()
    with pytest.raises(AssertionError, match=words):
        getattr(contract, f"test_{check}")()


class TestSound(DriftContract):
    drift = Sound
