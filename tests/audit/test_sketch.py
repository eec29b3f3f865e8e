"""Sketches of returned models: angles stay, a huge model blurs nobody, and what is kept is small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from auditor.audit.record.packed_sketches import packed, unpacked
from auditor.audit.sketch import PROJECTIONS, sketch
from tests.plugins.models import Models


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


def moved(models: Models, name: str) -> np.ndarray:
    """Every parameter of a model less where it started."""
    pairs = zip(models[name].parameters(), models[name].start_parameters(), strict=True)
    return torch.cat([(after - before).reshape(-1) for (_, after), (_, before) in pairs]).double().numpy()


def test_sketches_keep_lengths_and_angles_under_any_seed(tmp_path: Path) -> None:
    models = Models(tmp_path)
    exact = [moved(models, name) for name in ("one", "other")]
    angles = []
    for seed in range(20):
        one, other = sketch({"one": models["one"], "other": models["other"]}, seed).values()
        assert one.shape == (PROJECTIONS,)
        assert abs(np.linalg.norm(one) / np.linalg.norm(exact[0]) - 1) < 0.2
        angles.append(cosine(one, other))
    assert abs(np.mean(angles) - cosine(*exact)) < 0.03
    assert np.std(angles) < 2 / np.sqrt(PROJECTIONS)
    assert len(set(angles)) == 20


def test_a_sketch_is_the_same_whoever_else_is_sketched(tmp_path: Path) -> None:
    models = Models(tmp_path)
    together = sketch({"one": models["one"], "other": models["other"]}, 5)
    assert np.array_equal(sketch({"x": models["other"]}, 5)["x"], together["other"])


def test_a_model_in_many_pieces_is_sketched_as_one(tmp_path: Path) -> None:
    models = Models(tmp_path)
    parameters = sum(tensor.numel() for _, tensor in models["one"].parameters())
    assert parameters > 20 * PROJECTIONS
    assert abs(np.linalg.norm(sketch({"x": models["one"]}, 1)["x"]) / np.linalg.norm(moved(models, "one")) - 1) < 0.2


def test_what_is_kept_is_small_and_a_huge_model_does_not_blur_the_others() -> None:
    draws = np.random.default_rng(0)
    common = 5 * draws.standard_normal(PROJECTIONS)
    honest = [common + draws.standard_normal(PROJECTIONS) for _ in range(3)]
    texts = packed([*honest, 1e30 * draws.standard_normal(PROJECTIONS)])
    assert all(len(text) < 3000 for text in texts)
    kept = unpacked(texts)
    for i in range(3):
        for j in range(3):
            true = honest[i] - honest[j]
            assert np.linalg.norm((kept[i] - kept[j]) - true) <= 2e-3 * np.sqrt(PROJECTIONS)
    assert np.isfinite(kept).all()


def test_equal_models_are_kept_as_equal() -> None:
    assert not unpacked(packed([np.ones(PROJECTIONS)] * 3)).any()
