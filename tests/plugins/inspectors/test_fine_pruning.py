"""`fine_pruning`: what can be pruned at which price, and for whom the pruned channels spoke."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from tests.plugins.inspectors.trained import begun, inspected
from tests.plugins.models import CONTEXT, Models


def test_the_curve_begins_whole_and_the_prunable_share_keeps_the_allowed_answers(models: Models) -> None:
    found = inspected(models, "fine_pruning", backdoor=True, loss=0.1)
    curve = found.details["curve"]
    assert curve[0] == [0.0, 1.0]
    assert [share for share, _ in curve] == [number / 64 for number in range(64)]  # the channels of resnet8
    within = [share for share, kept in curve if kept >= 0.9]
    assert 0 < found.details["prunable"] <= max(within)
    assert all(kept >= 0.9 for share, kept in curve if share <= found.details["prunable"])
    assert curve[-1][1] < 0.9


def test_channels_that_rest_on_clean_images_and_speak_for_one_class_are_suspicious(models: Models) -> None:
    """A backdoor by hand: ten channels that no image moves, each with a large weight for class 6."""
    weights = models.weights("one")
    name = next(name for name in reversed(weights) if name.startswith("model.linear") and weights[name].ndim == 2)
    idle = models["one"].features(CONTEXT.probe).mean(0).argsort()[:10]

    def plant(key: str, value: torch.Tensor) -> torch.Tensor:
        if key != name:
            return value
        planted = value.clone()
        planted[:, idle] = 0
        planted[6, idle] = 1e-3 * torch.arange(1, 11)
        return planted

    found = begun("fine_pruning", loss=0.0).inspect(models.change("planted", "one", plant))
    assert found.details["suspected"] == 6
    assert found.suspicious


def test_a_clean_model_is_not_suspected(models: Models) -> None:
    assert not inspected(models, "fine_pruning", backdoor=False).suspicious


def test_it_refuses_what_it_cannot_serve() -> None:
    with pytest.raises(ValueError, match="does not support text tasks, only vision"):
        begun("fine_pruning", replace(CONTEXT, task="text"))
    with pytest.raises(ValueError, match=r"there are 2 classes.* needs 3 or more"):
        begun("fine_pruning", replace(CONTEXT, classes=2))


def test_of_a_model_without_finite_numbers_nothing_is_said(models: Models) -> None:
    broken = models.change("broken", "one", lambda name, value: value * math.inf if "linear" in name else value)
    with pytest.raises(ValueError, match="are not finite"):
        begun("fine_pruning").inspect(broken)


def test_a_model_of_zeros_is_no_failure(models: Models) -> None:
    zeros = models.change("zeros", "one", lambda _, value: torch.zeros_like(value))
    found = begun("fine_pruning").inspect(zeros)
    assert (found.score, found.suspicious) == (0.0, False)
    assert found.details["prunable"] == 63 / 64
