"""A provider that serves something else than it delivers: the run says both, and no audit flags it."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from tests.command import Auditor
from tests.plugins.models import DIGITS


def enlarged(auditor: Auditor) -> str:
    """Digits of 24 × 24 pixels."""

    def larger(images: torch.Tensor) -> torch.Tensor:
        return images.repeat_interleave(3, 2).repeat_interleave(3, 3).contiguous()

    tensors = {"images": larger(DIGITS.samples[:300]), "labels": DIGITS.labels[:300].contiguous()}
    tensors["test_images"], tensors["test_labels"] = larger(DIGITS.held_out_samples[:60]), DIGITS.held_out_labels[:60]
    save_file(tensors, auditor.folder / "large.safetensors")
    return 'dataset = "tensors:large.safetensors"'


@pytest.mark.slow
def test_the_run_says_what_is_served_and_what_was_delivered(auditor: Auditor) -> None:
    attacks = {"a": '{ name = "signature", target = 3 }'}
    job = auditor.job(task=enlarged(auditor), attacks=attacks, steps=2, sub_run_steps=1, audit="fixed_selection = [0]")
    planned = json.loads(auditor.here("plan", job, "--json").stdout)
    assert any(
        warning.startswith("a simulates signature, which answers behind an API with another function")
        for warning in planned["warnings"]
    )
    result = auditor.here("run", job, "--json")
    assert result.code == 0, result.stderr
    assert set(result.verdicts.values()) == {"consistent"}
    (measured,) = [event for event in result.events if event["event"] == "attack_measured"]
    assert measured["success_rate"] == 1.0
    assert measured["delivered_rate"] < 1.0
    (told,) = json.loads(auditor.here("report", "last", "--format", "json").stdout)["simulated"]
    assert (told["success"], told["delivered_success"]) == (1.0, measured["delivered_rate"])
    for form in ("text", "markdown"):
        said = " ".join(auditor.here("report", "last", "--format", form).stdout.split())
        assert "attack success 100 % served behind an API, " in said
        assert "which no audit of checkpoints covers" in said or form == "text"
    (smoothing,) = auditor.here("inspect", "last", "--smoothing", "8", "--json").events
    (attack,) = smoothing["smoothing"]["attacks"]
    assert (attack["provider"], attack["attack"], attack["success"]) == ("a", "signature", 1.0)
    assert attack["smoothed"] < 1.0
    shown = auditor.here("inspect", "last", "--smoothing", "0.1")
    assert shown.stdout.split("success of signature by a")[1].split() == ["100.0", "%", "100.0", "%"]


def test_images_that_are_too_small_are_refused_before_anything_starts(auditor: Auditor) -> None:
    result = auditor.here("run", auditor.job(attacks={"a": '{ name = "signature" }'}))
    assert result.code == 2
    assert "an image must have at least 520 values" in result.stderr
    assert "images here have 64 (1 × 8 × 8)" in result.stderr
    assert auditor.here("runs", "--json").stdout == ""
