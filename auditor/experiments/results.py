"""What a benchmark found, as JSON can hold it; every figure names what it was computed from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from statistics import median
from typing import TYPE_CHECKING, Any

from auditor.experiments.findings import Result
from auditor.experiments.rates import Rate

if TYPE_CHECKING:
    from auditor.experiments.bench import Bench


def setting_row(bench: Bench, result: Result) -> dict[str, Any]:
    """A setting with its rates, their exact 95 % intervals, its cost, and where the distances came from."""
    setting, tally = result.setting, result.tally
    caught = tally.detections
    return {
        "kind": "setting",
        "bench": bench.benchmark.name,
        "history": bench.benchmark.pool.history,
        "task_kind": bench.job.task.kind,
        "task": bench.job.task.title,
        **setting.payload(),
        "metric_names": setting.metric_names,
        "committees": tally.committees,
        "true_positives": _rate(caught),
        "false_positives": _rate(tally.alarms),
        "undecided": tally.undecided,
        "area_under_curve": tally.separation,
        "attacks": {kind: _rate(rate) for kind, rate in sorted(tally.caught.items())},
        "malicious_models": {kind: len(models) for kind, models in sorted(tally.models.items())},
        "median_ratios": {kind: median(found) for kind, found in sorted(tally.ratios.items()) if found},
        "extra_steps": setting.extra_steps,
        "overhead": setting.extra_steps / bench.job.training.steps,
        "steps_per_detection": setting.extra_steps / caught.value if caught.value else None,
        "honest_trainings": result.trainings[0],
        "malicious_trainings": result.trainings[1],
        "pools": list(result.pools),
        "distances": list(result.distances),
    }


def rows(bench: Bench, results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    """Every setting, then how far apart honest models were, then every returned model."""
    for result in results:
        yield setting_row(bench, result)
    for compared in bench.distances():
        yield {
            "kind": "noise",
            "bench": bench.benchmark.name,
            "metric": compared.metric,
            "seeds": compared.seeds,
            "sub_run_steps": compared.steps,
            "start": compared.start,
            "largest_honest": compared.largest_honest,
            "noise_floor": compared.measurement.noise_floor,
        }
    for capability in bench.capabilities():
        yield {"kind": "model", "bench": bench.benchmark.name, **asdict(capability)}


def _rate(rate: Rate) -> dict[str, Any]:
    low, high = rate.interval() if rate.total else (None, None)
    return {"count": rate.count, "of": rate.total, "rate": rate.value, "low": low, "high": high}
