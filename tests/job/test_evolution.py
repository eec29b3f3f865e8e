"""Evolving jobs: what each update is, and what cannot be one."""

from __future__ import annotations

import pytest

from auditor.job import parse_job
from auditor.job.evolution import update_job
from auditor.job.model import Job
from tests.job.good import GOOD, assert_refused, changed

EVOLVING = GOOD.replace(
    "[audit]\n",
    """[evolution]
updates = 4
drift = { name = "rotate", step = 4.0, interpolation = "nearest" }

[evolution.training]
steps = 40

[audit]
""",
).replace("primary = true\n", 'primary = true\nattack = { name = "badnets", rate = 0.2, updates = [0, 3] }\n')


def test_an_update_is_a_job_of_its_own() -> None:
    job = parse_job(EVOLVING)
    jobs = [update_job(job, update, f"run{update - 1}" if update else None) for update in range(5)]
    tasks = [one.task.model_dump() for one in jobs]
    assert [task["slice"] for task in tasks] == ["train", *(f"stream[{index}]" for index in range(4))]
    assert tasks[0]["drift"] is None
    assert [task["drift"]["amount"] for task in tasks[1:]] == [4.0, 8.0, 12.0, 16.0]
    assert {task["drift"]["interpolation"] for task in tasks[1:]} == {"nearest"}
    assert [one.training.steps for one in jobs] == [100, 40, 40, 40, 40]
    assert [one.training.initial_run for one in jobs] == [None, "run0", "run1", "run2", "run3"]
    assert [one.primary.attack is not None for one in jobs] == [True, False, False, True, False]
    assert jobs[3].primary.attack is not None
    assert jobs[3].primary.attack.options == {"rate": 0.2}
    assert len({one.seed for one in jobs}) == 5
    assert sum(one.audit.false_alarm_rate for one in jobs) == pytest.approx(job.audit.false_alarm_rate)
    for one in jobs:
        assert Job.model_validate_json(one.model_dump_json()) == one
    assert Job.model_validate_json(job.model_dump_json()) == job


def test_what_an_update_does_otherwise_is_its_own() -> None:
    own = 'epochs = 2.5\nbatch_size = 10\noptimizer = { name = "sgd", lr = 0.5 }\nschedule = { name = "triangular" }'
    text = EVOLVING.replace("steps = 40\n", f"{own}\n\n[evolution.audit]\nsub_run_steps = 5\nreplicated = 2\n")
    job = parse_job(text)
    first, update = update_job(job, 0), update_job(job, 2, "x", samples=103)
    assert (first.training.batch_size, first.training.steps, first.audit.sub_run_steps) == (64, 100, 10)
    assert (update.training.batch_size, update.training.steps) == (10, 25)
    assert (update.training.optimizer.lr, update.training.schedule.name) == (0.5, "triangular")
    assert (update.audit.sub_run_steps, update.replicated) == (5, 2)
    with pytest.raises(ValueError, match="number of its samples"):
        update_job(job, 2, "x")


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words", "suggestion"),
    [
        pytest.param("updates = 4", "updates = 0", 8, "evolution.updates", "greater than or equal to 1", None, id="no"),
        pytest.param("updates = 4", "updates = 4\ngamma = 1.0", 9, "evolution.gamma", "less than 1", None, id="gamma"),
        pytest.param("updates = 4", "updates = 4\ngamma = 0", 9, "evolution.gamma", "greater than 0", None, id="zero"),
        pytest.param("updates = 4", "update = 4", 7, "evolution.updates", "is missing", None, id="missing"),
        pytest.param("updates = [0, 3]", "updates = [0, 5]", 21, "providers.0.attack.updates", "0 to 4", None, id="of"),
        pytest.param("updates = [0, 3]", "updates = []", 21, "providers.0.attack.updates", "1 item", None, id="none"),
        pytest.param("updates = [0, 3]", "updates = 3", 21, "providers.0.attack.updates", "a list", None, id="number"),
        pytest.param("step = 4.0", "amount = 4.0", 9, "evolution.drift.step", "is missing", None, id="amount"),
        pytest.param("step = 4.0", "step = inf", 9, "evolution.drift.step", "finite", None, id="endless drift"),
        pytest.param(
            "steps = 40", "steps = 5", 15, "audit.sub_run_steps", "longer than the training of 5", None, id="k"
        ),
        pytest.param(
            "steps = 40", "epochs = 2\nsteps = 3", 12, "evolution.training.epochs", "one of them", None, id="2"
        ),
        pytest.param("steps = 40", "lr = 0.1", 12, "evolution.training.lr", "the keys are", None, id="unknown"),
        pytest.param(
            "steps = 40",
            'optimizer = { name = "sgt" }',
            12,
            "evolution.training.optimizer",
            "'sgd', 'adamw'",
            "sgd",
            id="optimizer",
        ),
        pytest.param(
            'dataset = "digits"',
            'dataset = "digits"\nstream = { slices = 2 }',
            3,
            "task.stream",
            "[evolution] sets",
            None,
            id="own slices",
        ),
    ],
)
def test_a_wrong_key_is_refused_with_its_line(
    old: str, new: str, line: int, key: str, words: str, suggestion: str | None
) -> None:
    text = EVOLVING.replace(old, new)
    if new == "update = 4":
        text = text.replace("update = 4\n", "")
    assert_refused(text, line, key, words, suggestion)


def test_an_attack_in_some_updates_needs_an_evolving_job() -> None:
    text = changed("primary = true\n", 'primary = true\nattack = { name = "badnets", updates = [1] }\n')
    assert_refused(text, 14, "providers.0.attack.updates", "add that table", None)
