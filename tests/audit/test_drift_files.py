"""A drift in a plugin file: local providers and the client make the same data with it, and no agent is asked to."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.audit.job_plugins import check_plugins
from auditor.experiments.evolving.checks import check_study
from auditor.experiments.evolving.specification import parse_study
from auditor.experiments.evolving.work import Site
from auditor.job import JobError, parse_job
from auditor.job.model import Job
from auditor.plugins.catalogue import Catalogue, PluginError
from auditor.tasks.errors import TrainingError
from auditor.tasks.program import load_program
from tests.command import Auditor, job_text
from tests.experiments.evolving.study_text import STUDY
from tests.guide import save_examples
from tests.tasks.loading import network_task

FOG = 'drift = { name = "fog", amount = 0.25 }'


def text(drift: str = FOG) -> str:
    task = job_text(steps=4, sub_run_steps=2, audit="fixed_selection = [1]").replace("[task]", f"[task]\n{drift}")
    return f'plugins = ["fog.py"]\n{task}'


def job(folder: Path) -> Job:
    return parse_job(text(), folder=folder)


@pytest.fixture(autouse=True)
def _examples(tmp_path: Path) -> None:
    save_examples(tmp_path)


def test_the_data_drifts_by_the_file_as_by_a_package(tmp_path: Path) -> None:
    found = job(tmp_path)
    check_plugins(found)
    plugins = Catalogue(found.plugins)
    one, again = (load_program(found.task, tmp_path, plugins) for _ in range(2))
    plain = load_program(network_task(dataset="digits", model="resnet8"), tmp_path)
    assert one.digest == again.digest != plain.digest
    assert int(one.samples.min()) == (0 * 192 + 200 * 64) // 256
    none = network_task(dataset="digits", model="resnet8", drift={"name": "fog", "amount": 0.0})
    assert load_program(none, tmp_path, plugins).digest == plain.digest
    with pytest.raises(TrainingError, match=r"task\.drift: unknown drift 'fog'"):
        load_program(found.task, tmp_path)


def test_a_provider_that_is_not_local_is_refused_by_name(tmp_path: Path) -> None:
    written = text().replace('endpoint = "local:cpu"', 'endpoint = "unix:/tmp/agent.sock"', 2)
    with pytest.raises(PluginError) as refused:
        check_plugins(parse_job(written, folder=tmp_path))
    assert str(refused.value).startswith(f"drift 'fog' of file {tmp_path}/fog.py cannot be used by a, which makes")
    assert "auditor plugins new drift" in str(refused.value)
    installed = written.replace(FOG, 'drift = { name = "rotate", amount = 4.0 }')
    check_plugins(parse_job(installed, folder=tmp_path))


def test_mistakes_are_one_line_and_leave_no_run(auditor: Auditor, tmp_path: Path) -> None:
    for command, wrong, words in (
        ("run", text().replace('"fog", ', '"fogg", '), "Did you mean 'fog'?"),
        ("run", text().replace("amount = 0.25", "amount = 0.25, grey = 3"), "Did you mean 'gray'?"),
        ("data", text().replace("amount = 0.25", "amount = 2.0"), "2 of a pixel cannot be fog"),
    ):
        (tmp_path / "job.toml").write_text(wrong)
        result = auditor.here(command, "job.toml")
        assert result.code == 2
        assert words in result.stderr
        assert "Traceback" not in result.stderr
    assert auditor.here("runs", "--json").events == []


def test_a_study_has_drifts_in_files(tmp_path: Path) -> None:
    study = STUDY.replace('name = "rotate", step = 5.0', 'name = "fog", step = 0.2')
    file = parse_study(f'plugins = ["fog.py"]\n{study}', "study.toml", tmp_path)
    check_study(file, Site(tmp_path, Catalogue(file.study.plugins), "cpu"))
    with pytest.raises(JobError, match=r"study\.toml:15: evolution\.drift: unknown drift 'fog'"):
        check_study(parse_study(study, "study.toml", tmp_path), Site(tmp_path, Catalogue(), "cpu"))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_local_providers_train_on_what_the_file_makes(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "job.toml").write_text(text())
    result = auditor.here("run", "job.toml", "--json")
    assert result.code == 0, result.stderr
    (read,) = [event for event in result.events if event["event"] == "data_read"]
    assert "the drift fog changed all samples by 0.25" in [remark["text"] for remark in read["remarks"]]
    assert set(result.verdicts.values()) == {"consistent"}
