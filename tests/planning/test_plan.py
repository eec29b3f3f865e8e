"""The plan's figures, against hand calculation and against counting all possibilities."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from auditor.job import Job, load_job, parse_job
from auditor.planning import make_plan
from auditor.planning.chances import catch_probability
from auditor.planning.plan import boundaries

SAMPLES = sorted((Path(__file__).parents[2] / "sample_jobs").glob("*.toml"))


def job(audit: str = "", *, steps: int = 400, providers: int = 4, prices: tuple[float, ...] = ()) -> Job:
    text = f'[task]\ndataset = "digits"\n[training]\nsteps = {steps}\n[audit]\n{audit}\n'
    for index in range(providers):
        text += f'[[providers]]\nname = "p{index}"\nendpoint = "local:cpu"\n'
        text += "primary = true\n" if index == 0 else ""
        text += f"price_per_hour = {prices[index]}\n" if index < len(prices) else ""
    return parse_job(text)


def test_extra_steps_are_m_k_times_n_minus_one() -> None:
    plan = make_plan(job("sub_run_steps = 20\nreplicated = 5"))
    assert (plan.sub_runs, plan.participants, plan.extra_steps) == (20, 4, 5 * 20 * 3)
    assert plan.overhead == 300 / 400
    assert plan.share == 5 / 20


def test_the_last_sub_run_may_be_shorter() -> None:
    assert boundaries(100, 30) == (0, 30, 60, 90, 100)
    assert boundaries(90, 30) == (0, 30, 60, 90)
    plan = make_plan(job("sub_run_steps = 30\nfixed_selection = [1, 3]", steps=100))
    assert plan.extra_steps == (30 + 10) * 3


def test_replicating_everything_costs_the_training_once_per_replica() -> None:
    plan = make_plan(job("sub_run_steps = 30\nreplicated = 4", steps=100))
    assert plan.extra_steps == 100 * 3


def test_fewer_replicas_than_providers_cost_less() -> None:
    plan = make_plan(job("sub_run_steps = 40\nreplicated = 2\nreplicas = 2", providers=5))
    assert (plan.participants, plan.extra_steps) == (3, 2 * 40 * 2)


def test_a_sub_run_that_is_selected_twice_counts_once() -> None:
    once, twice = (make_plan(job(f"fixed_selection = {selection}")) for selection in ("[3]", "[3, 3, 3]"))
    assert once == twice
    assert once.replicated == 1


def test_every_sub_run_selected_many_times_over_can_be_planned() -> None:
    plan = make_plan(job("sub_run_steps = 200\nfixed_selection = [0, 1, 1, 0]"))
    assert plan.catch[1.0] == {1: 1.0, 2: 1.0}


def test_dollars_follow_from_prices_and_speed() -> None:
    plan = make_plan(job("sub_run_steps = 40\nreplicated = 2", prices=(3.0, 1.0, 2.0, 6.0)))
    training, audit = plan.dollars(10.0) or (0.0, 0.0)
    assert training == pytest.approx(400 / 10 / 3600 * 3.0)
    assert audit == pytest.approx(2 * 40 * 3 / 10 / 3600 * 3.0)
    assert plan.relative_price == pytest.approx(audit / training)


def test_without_all_prices_there_are_no_dollars() -> None:
    plan = make_plan(job(prices=(3.0, 1.0)))
    assert plan.dollars(10.0) is None
    assert plan.relative_price is None


def test_a_primary_that_is_free_has_no_relative_price() -> None:
    assert make_plan(job(prices=(0.0, 1.0, 1.0, 1.0))).relative_price is None


@pytest.mark.parametrize("sub_runs", [1, 5, 8])
def test_the_catch_probability_is_that_of_counting_all_selections(sub_runs: int) -> None:
    for replicated in range(1, sub_runs + 1):
        selections = list(combinations(range(sub_runs), replicated))
        for deviating in range(sub_runs + 1):
            caught = sum(min(selection) < deviating for selection in selections)
            assert catch_probability(sub_runs, deviating, replicated) == pytest.approx(caught / len(selections))


def test_the_catch_table_rounds_shares_up_to_whole_sub_runs() -> None:
    plan = make_plan(job("sub_run_steps = 40\nreplicated = 4"))
    assert plan.catch[0.05][4] == pytest.approx(4 / 10)
    assert plan.catch[0.3][4] == pytest.approx(catch_probability(10, 3, 4))
    assert all(row[4] == max(value for m, value in row.items() if m <= 4) for row in plan.catch.values())


def test_independent_draws_are_planned_by_their_expectation() -> None:
    plan = make_plan(job("sub_run_steps = 40\nreplicate_probability = 0.25"))
    assert plan.replicated == pytest.approx(2.5)
    assert plan.extra_steps == pytest.approx(0.25 * 400 * 3)
    assert plan.catch[0.2] == {2: pytest.approx(1 - 0.75**2)}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_job_loads_and_plans(path: Path) -> None:
    loaded = load_job(path)
    plan = make_plan(loaded)
    assert plan.training_steps == loaded.training.steps
    assert 0 < plan.overhead < 2
    assert path.read_text().startswith("# ")


def test_there_are_sample_jobs() -> None:
    assert {"quickstart", "quickstart_clean", "cifar10_resnet", "sentiment", "sentiment_clean"} <= {
        path.stem for path in SAMPLES
    }
