"""Providers that train nothing: how a job names them, and where it cannot."""

from __future__ import annotations

import pytest

from auditor.job import JobError, parse_job
from auditor.job.endpoint import SimulatedEndpoint, parse_endpoint
from auditor.providers.registry import check_access
from tests.command import job_text

ALL = dict.fromkeys("abc", "simulated:honest")


def test_an_honest_one_and_one_that_deviates_by_a_share_of_an_update() -> None:
    assert parse_endpoint("simulated:honest") == SimulatedEndpoint(0.0)
    assert parse_endpoint("simulated:deviating=0.2") == SimulatedEndpoint(0.2)
    assert not parse_endpoint("simulated:honest").trains


@pytest.mark.parametrize(
    "text",
    [
        "simulated:",
        "simulated:0.2",
        "simulated:deviating",
        "simulated:deviating=",
        "simulated:deviating=0",
        "simulated:deviating=-1",
        "simulated:deviating=nan",
        "simulated:deviating=1e3",
        "simulated:honest ",
        "simulated:deviating=0.2\n",
    ],
)
def test_another_form_is_refused_with_those_that_there_are(text: str) -> None:
    with pytest.raises(ValueError, match="simulated:honest or simulated:deviating=SHARE"):
        parse_endpoint(text)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"endpoints": {"a": "simulated:honest"}}, "make all providers simulated, or none", id="one"),
        pytest.param({"endpoints": ALL | {"b": "cluster"}}, "make all providers simulated", id="a registered one"),
        pytest.param(
            {"endpoints": ALL, "audit": 'randomness = "provider"'}, "draws no initial weights", id="own start"
        ),
        pytest.param(
            {"endpoints": ALL, "attacks": {"b": '{ name = "badnets" }'}}, "can simulate an attack", id="an attack"
        ),
        pytest.param(
            {"endpoints": ALL, "audit": "[evolution]\nupdates = 2"},
            "simulated providers train",
            id="updates",
        ),
    ],
)
def test_what_they_cannot_be_part_of_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(JobError, match=words):
        parse_job(job_text(**changes))  # type: ignore[arg-type]


def test_nobody_registers_one() -> None:
    with pytest.raises(ValueError, match="trains nothing"):
        check_access("simulated:honest")
