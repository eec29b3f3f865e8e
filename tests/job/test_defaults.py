"""What a job is where its file does not say, and that all of it is kept."""

from __future__ import annotations

from auditor.job import parse_job
from tests.job.good import GOOD, STEPS, K, changed


def test_defaults_make_a_sensible_audit() -> None:
    job = parse_job(GOOD.replace("[training]\nsteps = 100\n", "").replace("[audit]\nsub_run_steps = 10\n", ""))
    assert (job.name, job.seed, job.task.kind, job.task.model_name) == ("untitled", 0, "vision", "resnet8")
    training, audit = job.training, job.audit
    assert (training.steps, training.batch_size, training.precision, training.augment) == (400, 64, "fp32", ())
    assert training.optimizer.model_dump() == {"name": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 5e-4}
    assert training.schedule.name == "constant"
    assert (audit.sub_run_steps, job.replicated, job.sub_runs, job.participants) == (40, 4, 10, 3)
    assert (audit.seeds, audit.drawn_by, audit.decision, audit.false_alarm_rate) == ("shared", "client", "auto", 0.01)
    assert [use.name for use in audit.metrics] == ["update", "zest"]
    assert (job.benign_fraction, job.benign) == (0.67, 2)
    assert (job.primary.name, [other.name for other in job.others]) == ("anna", ["bert", "cleo"])


def test_defaults_of_a_text_task_suit_it() -> None:
    text = changed('"digits"', '"reviews"\nkind = "text"')
    job = parse_job(text)
    assert job.task.model_name == "transformer"
    assert job.training.optimizer.model_dump() == {
        "name": "adamw",
        "lr": 1e-3,
        "beta1": 0.9,
        "beta2": 0.999,
        "weight_decay": 1e-2,
    }
    given = parse_job(text.replace(STEPS, 'steps = 100\noptimizer = { name = "sgd" }\n\n'))
    assert given.training.optimizer.name == "sgd"
    assert type(job).model_validate_json(job.model_dump_json()) == job


def test_options_of_metrics_and_attacks_are_kept_as_written() -> None:
    job = parse_job(
        changed(K, K + 'metrics = ["cka", { name = "zest", images = 8 }]\n').replace(
            "primary = true\n", 'primary = true\nattack = { name = "badnets", rate = 0.2, target = 3 }\n'
        )
    )
    assert [(use.name, use.options) for use in job.audit.metrics] == [("cka", {}), ("zest", {"images": 8})]
    assert job.primary.attack is not None
    assert job.primary.attack.options == {"rate": 0.2, "target": 3}


def test_a_job_survives_being_written_as_json() -> None:
    job = parse_job(changed(K, K + 'metrics = [{ name = "zest", images = 8 }]\n'))
    assert type(job).model_validate_json(job.model_dump_json()) == job
