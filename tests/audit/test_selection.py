"""Which sub-runs are drawn, over many secrets, against what the plan promises."""

from __future__ import annotations

from itertools import pairwise

import pytest

from auditor.audit.selection import Selection
from auditor.job import Job, parse_job
from auditor.planning.chances import free_share
from tests.command import job_text

SECRETS = [index.to_bytes(32, "big") for index in range(1500)]


def drawn(job: Job, secret: bytes) -> list[bool]:
    """Every draw of a run, in order."""
    selection, draws = Selection(job, secret), list[bool]()
    for sub_run in range(job.sub_runs):
        draws.append(selection.replicated(sub_run, sum(draws)))
    return draws


def job(audit: str) -> Job:
    return parse_job(job_text(steps=200, sub_run_steps=10, audit=audit))


def test_exactly_m_are_drawn_and_the_rest_after_them_is_as_long_as_planned() -> None:
    some = job("replicated = 4")
    runs = [drawn(some, secret) for secret in SECRETS]
    assert {sum(draws) for draws in runs} == {4}
    rests = [draws[::-1].index(True) for draws in runs]
    # The length has a standard deviation of about 2.8 sub-runs, so 0.35 is nearly five standard errors.
    assert sum(rests) / len(rests) == pytest.approx(20 * free_share(20, 4), abs=0.35)


def test_independent_draws_do_not_depend_on_what_was_drawn() -> None:
    some = job("replicate_probability = 0.3")
    for secret in SECRETS[:50]:
        selection = Selection(some, secret)
        assert all(len({selection.replicated(index, taken) for taken in range(20)}) == 1 for index in range(20))
    runs = [drawn(some, secret) for secret in SECRETS]
    after = {
        seen: [later for draws in runs for before, later in pairwise(draws) if before is seen] for seen in (True, False)
    }
    # Some 8,500 and 20,000 draws: five standard errors are 0.025 and 0.016.
    assert sum(after[True]) / len(after[True]) == pytest.approx(0.3, abs=0.025)
    assert sum(after[False]) / len(after[False]) == pytest.approx(0.3, abs=0.016)
