"""Audits with many providers that train nothing."""

from __future__ import annotations

import json

import pytest

from auditor.report.overview import provider_records
from auditor.store import Store
from tests.command import Auditor

NAMES = [f"p{number:02d}" for number in range(16)]
FEW_NUMBERS = 'kind = "random_fourier"\ndataset = "digits"\nfeatures = 20\nclasses = [0, 1]'
SUB_RUNS = 24


def job(auditor: Auditor, endpoints: dict[str, str], audit: str, count: int = 16, training: str = "") -> str:
    """A job with so many simulated providers, honest but for those that are given."""
    names = NAMES[:count]
    return auditor.job(
        providers=names,
        endpoints=dict.fromkeys(names, "simulated:honest") | endpoints,
        steps=2 * SUB_RUNS,
        sub_run_steps=2,
        task=FEW_NUMBERS,
        training=training,
        audit=audit,
    )


@pytest.mark.slow
def test_sixteen_honest_ones_that_share_seeds_are_clean_and_every_face_says_that_nothing_was_trained(
    auditor: Auditor,
) -> None:
    path = job(auditor, {}, "replicated = 3")
    planned = auditor.here("plan", path)
    assert "train nothing" in planned.stdout + planned.stderr
    result = auditor.here("run", path, "--json")
    assert result.code == 0, result.stderr
    assert set(result.verdicts.values()) == {"consistent"}
    assert result.verdict["simulated"] is True
    assert all("it is simulated and trained nothing" in one["reasons"] for one in result.verdict["providers"])
    assert sum(event["event"] == "committed" for event in result.events) == SUB_RUNS + 1
    keys = {event["signing_key"] for event in result.events if event["event"] == "provider_ready"}
    assert len(keys) == 16
    for command in (("show", "last"), ("report", "last")):
        assert "SIMULATED: no provider trained anything" in " ".join(auditor.here(*command).stdout.split())
    assert "clean (simulated)" in auditor.here("runs").stdout
    assert json.loads(auditor.here("runs", "--json").stdout)["simulated"] is True
    with Store(auditor.home) as store:
        assert provider_records(store) == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("endpoint", "audit"),
    [
        pytest.param("simulated:deviating=0.2", "replicated = 3", id="shared seeds"),
        pytest.param("simulated:deviating=4", 'replicated = 8\nseeds = "own"\ndrawn_by = "client"', id="own seeds"),
    ],
)
def test_the_one_that_deviates_is_flagged(auditor: Auditor, endpoint: str, audit: str) -> None:
    result = auditor.here("run", job(auditor, {"p05": endpoint}, audit, count=8), "--json")
    assert result.code == 10, result.stderr
    assert result.verdicts["p05"] == "flagged"
    assert "inconclusive" not in result.verdicts.values()
    if "own" not in audit:  # where false alarms have a rate, and what is drawn differs from run to run
        assert list(result.verdicts.values()).count("flagged") == 1


@pytest.mark.slow
def test_a_job_that_tells_nobody_what_is_trained_accuses_nobody(auditor: Auditor) -> None:
    plain = 'optimizer = { name = "sgd", lr = 0.05, momentum = 0.0 }'
    result = auditor.here("run", job(auditor, {}, "replicated = 1", count=3, training=plain), "--json")
    assert "flagged" not in result.verdicts.values()
    assert "keeps none" in json.dumps(result.events)
