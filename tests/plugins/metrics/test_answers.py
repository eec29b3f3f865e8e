"""`output` and `logits`: what models answer."""

from __future__ import annotations

import numpy as np
import pytest

from tests.plugins.metrics.begun import begun, distance
from tests.plugins.models import CONTEXT, Models


@pytest.mark.parametrize("name", ["output", "logits"])
def test_the_distance_is_the_mean_distance_of_the_answers(name: str, models: Models) -> None:
    raw = [models[which].logits(CONTEXT.probe[:16]).double() for which in ("one", "other")]
    one, other = (answers.softmax(1).numpy() if name == "output" else answers.numpy() for answers in raw)
    expected = float(np.sqrt(((one - other) ** 2).sum(1)).mean())
    assert distance(begun(name, samples=16), models["one"], models["other"]) == pytest.approx(expected, rel=1e-9)
