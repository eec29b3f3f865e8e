"""Whose seeds a training has, as a job file says it."""

from __future__ import annotations

import pytest

from auditor.base.seeds import Drawer, Seeds
from auditor.job import parse_job
from tests.job.good import GOOD, only_problem


def with_audit(keys: str) -> str:
    return GOOD.replace("[audit]\n", f"[audit]\n{keys}\n")


@pytest.mark.parametrize(
    ("keys", "seeds", "drawn_by"),
    [
        ("", Seeds.SHARED, Drawer.CLIENT),
        ('randomness = "client"', Seeds.SHARED, Drawer.CLIENT),
        ('randomness = "provider"', Seeds.OWN, Drawer.PROVIDER),
        ('seeds = "shared"', Seeds.SHARED, Drawer.CLIENT),
        ('seeds = "own"', Seeds.OWN, Drawer.PROVIDER),
        ('seeds = "own"\ndrawn_by = "client"', Seeds.OWN, Drawer.CLIENT),
        ('drawn_by = "provider"', Seeds.SHARED, Drawer.PROVIDER),
        ('randomness = "coin"', Seeds.SHARED, Drawer.COIN),
        ('seeds = "own"\ndrawn_by = "coin"', Seeds.OWN, Drawer.COIN),
    ],
)
def test_seeds_are_shared_or_own_and_somebody_draws_them(keys: str, seeds: Seeds, drawn_by: Drawer) -> None:
    job = parse_job(with_audit(keys))
    assert (job.audit.seeds, job.audit.drawn_by) == (seeds, drawn_by)
    assert type(job).model_validate_json(job.model_dump_json()) == job


@pytest.mark.parametrize(
    ("keys", "key", "words", "suggestion"),
    [
        ('randomness = "clint"', "audit.randomness", "use 'client', 'provider' or 'coin'", "client"),
        ("randomness = 3", "audit.randomness", "use 'client', 'provider' or 'coin'", None),
        ('drawn_by = "coins"', "audit.drawn_by", "'coin'", "coin"),
        ('seeds = "shred"', "audit.seeds", "'shared' or 'own'", "shared"),
        ('randomness = "client"\nseeds = "own"', "audit.seeds", "remove one of the two keys", None),
    ],
)
def test_what_cannot_be_said_of_seeds(keys: str, key: str, words: str, suggestion: str | None) -> None:
    problem = only_problem(with_audit(keys))
    assert (problem.key, problem.suggestion) == (key, suggestion)
    assert words in problem.message
