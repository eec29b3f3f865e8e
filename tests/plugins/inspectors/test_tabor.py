"""`tabor`: it finds the target of a backdoor, and its terms do what they say."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.plugins.inspectors.trained import TARGET, begun, inspected
from tests.plugins.models import CONTEXT, Models

QUICK: dict[str, Any] = {"epochs": 40, "samples": 32, "batch": 16, "patience": 3, "cost": 0.01}
WITHOUT: dict[str, Any] = {"pattern": 0.0, "smooth": 0.0, "smooth_pattern": 0.0, "blocking": 0.0, "overlaying": 0.0}


def test_the_target_of_a_backdoor_has_the_smallest_trigger(models: Models) -> None:
    found = inspected(models, "tabor", backdoor=True, **QUICK)
    assert found.details["suspected"] == TARGET
    assert found.suspicious
    assert found.score == found.details["indices"][TARGET]
    assert found.details["sizes"][TARGET] == min(found.details["sizes"])
    assert found.details["successes"][TARGET] > 0.95
    assert found.pictures["class 3 trigger"].shape == (8, 8, 3)


def test_the_size_of_a_trigger_is_made_of_area_roughness_and_effect(models: Models) -> None:
    found = begun("tabor", epochs=2, samples=32).inspect(models["one"])
    number = found.details["suspected"]
    mask = torch.from_numpy(found.pictures[f"class {number} mask"][:, :, 0].copy()).double() / 255
    rough = float(mask.diff(dim=0).square().sum() + mask.diff(dim=1).square().sum())
    area = float(mask.sum()) / 64 + rough / 112
    shares = (max(found.details[name][number], 1e-3) for name in ("successes", "kept"))
    expected = math.log(area) - sum(math.log(share) for share in shares)
    assert found.details["sizes"][number] == pytest.approx(expected, abs=0.02)  # pixels of a picture are rounded


@pytest.mark.parametrize("term", list(WITHOUT))
def test_every_term_changes_the_search(models: Models, term: str) -> None:
    options: dict[str, Any] = {"epochs": 3, "samples": 16, "patience": 1, "success": 0.01, "cost": 0.1}
    without = begun("tabor", **options, **WITHOUT).inspect(models["one"])
    with_it = begun("tabor", **options, **{**WITHOUT, term: 5.0}).inspect(models["one"])
    assert without.details["norms"] != with_it.details["norms"]


def test_smoother_masks_are_found_where_roughness_costs_more(models: Models) -> None:
    options: dict[str, Any] = {"epochs": 10, "samples": 16, "patience": 1, "success": 0.01, "cost": 0.1}

    def roughness(**more: Any) -> float:
        found = begun("tabor", **options, **{**WITHOUT, **more}).inspect(models["one"])
        mask = found.pictures[f"class {found.details['suspected']} mask"][:, :, 0].astype(float)
        return float(np.square(mask[1:] - mask[:-1]).sum() / mask.sum())

    assert roughness(smooth=10.0) < roughness()


def test_it_refuses_what_it_cannot_serve() -> None:
    with pytest.raises(ValueError, match="does not support text tasks, only vision"):
        begun("tabor", replace(CONTEXT, task="text"))
    with pytest.raises(ValueError, match=r"there are 2 classes.* tabor needs 3 or more"):
        begun("tabor", replace(CONTEXT, classes=2))


def test_of_a_model_without_finite_outputs_nothing_is_said(models: Models) -> None:
    broken = models.change("broken", "one", lambda name, value: value * math.inf if "linear" in name else value)
    with pytest.raises(ValueError, match="not finite"):
        begun("tabor", epochs=1, samples=32).inspect(broken)
