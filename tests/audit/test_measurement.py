"""What a metric gives is checked before it becomes evidence, and what it remarks reaches the reasons."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch

from auditor.audit.measurement import Measurement, Noise, Rehearsed, measure, measure_noise
from auditor.audit.record import events as e
from auditor.audit.record.fold import fold
from auditor.audit.verdicts import judge_providers
from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions
from auditor.planning import choose
from auditor.plugins import Comparison, Metric, ReturnedModel
from auditor.report.sentences import sentence
from auditor.store.records import EventRecord
from tests.plugins.models import Models
from tests.tui.recorded import NAMES, job, judged, measured

Rows = Sequence[Sequence[float]]
GOOD = ((0.0, 1.0, 2.0), (1.0, 0.0, 3.0), (2.0, 3.0, 0.0))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ReturnedModel]]:
    """Three models of one sub-run, trained on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    trained = Models(tmp_path_factory.mktemp("models"))
    yield {"a": trained["start"], "b": trained["one"], "c": trained["other"]}
    torch.set_num_threads(threads)


class Norm(Metric[float]):
    """The difference of the norms of all weights."""

    def represent(self, model: ReturnedModel) -> float:
        return float(sum(float(tensor.square().sum()) for _, tensor in model.parameters()) ** 0.5)

    def distance(self, first: float, second: float) -> float:
        return abs(first - second)


class Claiming(Norm):
    """Gives a comparison that it was made with."""

    claimed: Comparison

    def compare(self, representations: Sequence[float]) -> Comparison:
        return self.claimed


def claiming(distances: Rows, remarks: Sequence[str] = ()) -> Metric[float]:
    metric = Claiming(Claiming.Options())
    metric.claimed = Comparison(distances, remarks)
    return metric


def test_by_default_all_pairs_are_compared_and_nothing_is_remarked(models: dict[str, ReturnedModel]) -> None:
    metric = Norm(Norm.Options())
    found = measure("norm", metric, models, Noise(0.5))
    norms = [metric.represent(model) for model in models.values()]
    assert found.providers == ("a", "b", "c")
    np.testing.assert_allclose(found.values, np.abs(np.subtract.outer(norms, norms)))
    assert (found.noise.floor, found.remarks, found.failure) == (0.5, {}, None)


def test_what_a_metric_remarks_is_cleaned_and_cut(models: dict[str, ReturnedModel]) -> None:
    remarks = ("\x1b[31mmost in\nlayer [bold]conv\u202e", "", "x" * 5000)
    found = measure("claiming", claiming(GOOD, remarks), models, Noise())
    assert found.values == GOOD
    assert found.remarks.keys() == {"a", "c"}
    assert found.remarks["a"] == "most in layer [bold]conv"
    assert len(found.remarks["c"]) == 200


@pytest.mark.parametrize(
    ("distances", "remarks", "reason"),
    [
        ((), (), "did not return 3 rows of 3 distances"),
        (((0.0, 1.0), (1.0, 0.0)), (), "did not return 3 rows of 3 distances"),
        (
            ((0.0, 1.0, 2.0), (1.5, 0.0, 3.0), (2.0, 3.0, 0.0)),
            (),
            "from one model to another differs from the distance back",
        ),
        (((0.0, float("nan"), 2.0), (1.0, 0.0, 3.0), (2.0, 3.0, 0.0)), (), "returned the distance nan"),
        (((0.0, -1.0, 2.0), (-1.0, 0.0, 3.0), (2.0, 3.0, 0.0)), (), "returned the distance -1.0"),
        (GOOD, ("only one",), "ValueError"),
    ],
)
def test_what_is_not_a_comparison_is_a_failure_of_the_metric(
    distances: Rows, remarks: Sequence[str], reason: str, models: dict[str, ReturnedModel]
) -> None:
    found = measure("claiming", claiming(distances, remarks), models, Noise())
    assert found.failure is not None
    assert reason in found.failure
    assert (found.values, found.remarks) == ((), {})


def test_a_model_that_a_metric_cannot_represent_is_left_out(models: dict[str, ReturnedModel]) -> None:
    class Picky(Norm):
        def represent(self, model: ReturnedModel) -> float:
            if model is models["b"]:
                raise ValueError("too large")
            return super().represent(model)

    found: Measurement = measure("picky", Picky(Picky.Options()), models, Noise())
    assert found.providers == ("a", "c")
    assert found.excluded == {"b": "ValueError: too large"}


def rehearsed(models: dict[str, ReturnedModel], steps: int = 4, of: int = 4) -> Rehearsed:
    halfway = [] if steps == of else [models["a"], models["a"], models["c"]]
    return Rehearsed(models["a"], [models["b"], models["c"], models["b"]], halfway, steps, of)


def test_noise_is_the_largest_distance_of_an_honest_execution_from_the_usual_one(
    models: dict[str, ReturnedModel],
) -> None:
    metric = Norm(Norm.Options())
    a, b, c = (metric.represent(model) for model in models.values())
    found = measure_noise(metric, rehearsed(models))
    assert found.floor == pytest.approx(abs(b - c))
    assert found.size == pytest.approx(abs(a - b))
    assert found.source == "executed by the client in 3 ways"


def test_noise_of_steps_that_there_was_no_time_for_is_extrapolated_by_how_it_grew(
    models: dict[str, ReturnedModel],
) -> None:
    metric = Norm(Norm.Options())
    a, b, c = (metric.represent(model) for model in models.values())
    growth = min(max(math.log2(abs(b - c) / abs(a - c)), 1), 7)
    found = measure_noise(metric, rehearsed(models, steps=2, of=20))
    assert found.floor == pytest.approx(abs(b - c) * 10**growth)
    assert "2 of 20 steps" in found.source
    alone = measure_noise(metric, rehearsed(models, steps=1, of=10)).floor
    assert alone == pytest.approx(abs(b - c) * 10**3.5)


def test_a_metric_that_fails_on_the_clients_own_models_has_no_known_noise(models: dict[str, ReturnedModel]) -> None:
    class Broken(Norm):
        def distance(self, first: float, second: float) -> float:
            return math.nan

    found = measure_noise(Broken(Broken.Options()), rehearsed(models))
    assert (found.floor, found.size) == (None, None)
    assert "returned the distance nan" in found.source


def records(happened: Sequence[e.Event]) -> list[EventRecord]:
    time = datetime(2026, 11, 20, tzinfo=UTC).isoformat()
    return [
        EventRecord("recorded", number, time, one.kind, one.payload()) for number, one in enumerate(happened, start=1)
    ]


def test_a_remark_reaches_the_reasons_of_a_verdict_and_the_log(tmp_path: Path) -> None:
    said = "most in layers stages.0.conv1 and linear"
    plain = measured(0)
    told = e.DistancesMeasured(**{**plain.payload(), "remarks": {NAMES[0]: said, NAMES[1]: "most in layer bn"}})
    begun = e.RunStarted("recorded", NAMES[0], NAMES[1:], 60, 10, 6, "ratio", "", ())
    happened = [begun, e.Drawn(0, True), told, judged(0)]
    state = fold(records(happened))
    verdicts = judge_providers(state, choose(job()), Assumptions(0.67, Seeds.SHARED, 0.001))
    assert [verdict.verdict for verdict in verdicts] == ["flagged", "consistent", "consistent"]
    assert f"; {said})" in verdicts[0].reasons[1]
    assert "layer bn" not in str(verdicts)
    assert said in (sentence(judged(0), state) or "")


def test_distances_that_were_stored_before_there_were_remarks_still_read() -> None:
    plain = measured(0)
    stored = {key: value for key, value in plain.payload().items() if key != "remarks"}
    assert e.from_record("distances_measured", stored) == plain


def test_evidence_is_in_the_order_in_which_sub_runs_were_measured() -> None:
    begun = e.RunStarted("recorded", NAMES[0], NAMES[1:], 60, 10, 6, "ratio", "", ())
    again = e.DistancesMeasured(**{**measured(4).payload(), "seconds": 1.0})
    state = fold(records([begun, measured(4), judged(4), measured(1), judged(1), again]))
    assert [matrix.sub_run for matrix in state.matrices()] == [4, 1]
