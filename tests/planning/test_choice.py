"""Which rule a job is judged by, and what it cannot do there."""

from __future__ import annotations

import pytest

from auditor.job import parse_job
from auditor.planning import choose


def job(n: int, audit: str = "") -> str:
    text = f'[task]\ndataset = "digits"\n[audit]\n{audit}\n'
    return text + "".join(
        f'[[providers]]\nname = "p{index}"\nendpoint = "local:cpu"\nprimary = {str(index == 0).lower()}\n'
        for index in range(n)
    )


@pytest.mark.parametrize(
    ("n", "audit", "name", "powerless", "warning"),
    [
        (2, "", "agreement", False, "third provider"),
        (4, "", "ratio", False, ""),
        (4, 'decision = "ks"', "ks", True, "cannot flag anybody here. With n = 4,"),
        (8, 'decision = "ks"\nbenign_fraction = 0.5', "ks", True, "cannot flag anybody here. With n = 8,"),
        (
            16,
            'decision = "ks"\nbenign_fraction = 0.5\nrandomness = "provider"\nreplicated = 1',
            "ks",
            True,
            "smallest p-value in one sub-run is 0.05",
        ),
        (
            16,
            'decision = "ks"\nbenign_fraction = 0.5\nrandomness = "provider"\nreplicated = 10',
            "ks",
            False,
            "pulled the same way",
        ),
        (4, 'randomness = "provider"', "ratio", False, "not guaranteed if something honest pulls"),
        (4, 'randomness = "provider"\nreplicated = 2', "ratio", False, "at least 4 replicated sub-runs"),
        (3, 'randomness = "provider"\nfalse_alarm_rate = 1e-6', "ratio", False, "no number of sub-runs shows"),
        (3, "fixed_selection = [1]", "ratio", False, "fixed"),
    ],
)
def test_the_choice_says_what_it_cannot_do(n: int, audit: str, name: str, powerless: bool, warning: str) -> None:
    choice = choose(parse_job(job(n, audit)))
    assert (choice.decision.name, choice.powerless) == (name, powerless)
    assert choice.reason
    assert bool(choice.warnings) == bool(warning)
    assert any(warning in one for one in choice.warnings) or not warning
