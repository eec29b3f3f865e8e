"""The plan in the interface says what `auditor plan` says, in the same words."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Static
from typer.testing import CliRunner

from auditor.cli.app import app as command
from auditor.job import parse_job
from auditor.planning import choose
from auditor.planning.measured_power import known_power, read_measurements
from auditor.report.plan_text import catch_table, plan_facts, plan_measurements, plan_warnings
from auditor.tui.app import AuditorApp
from auditor.tui.screens.job import JobScreen
from auditor.tui.widgets.plan_view import PlanView
from tests.command import job_text
from tests.tui.walking import until


async def test_both_faces_say_the_same(home: Path, tmp_path: Path) -> None:
    text = job_text(steps=400, audit='replicated = 6\nrandomness = "provider"', sub_run_steps=20)
    job = parse_job(text, source="job.toml")
    known, choice = known_power(job, read_measurements()), choose(job)
    plan = known.plan(job)
    table = catch_table(plan)
    words = [*(plan_facts(job, plan, choice) | plan_measurements(job, plan, known)).values(), table.heading, table.note]
    words += [f"warning: {warning}" for warning in plan_warnings(plan, choice)]
    (tmp_path / "job.toml").write_text(text)
    printed = CliRunner().invoke(command, ["plan", str(tmp_path / "job.toml")], env={"COLUMNS": "80"}).stdout
    app = AuditorApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(JobScreen(text, None))
        await until(pilot, lambda: "deviates in" in _plan(app))
        shown = _plan(app)
    for sentence in words:
        assert sentence in " ".join(printed.split())
        assert sentence in " ".join(shown.split())
    for row in table.rows:
        assert " ".join(row) in " ".join(printed.split())
        assert " ".join(row) in " ".join(shown.split())
    assert max(map(len, printed.splitlines())) <= 80


def _plan(app: AuditorApp) -> str:
    return str(app.screen.query_one(PlanView).query_one(Static).render())


async def test_the_plan_shows_what_a_look_at_the_data_finds(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("label,text\n" + "yes,one\nno,two\n" * 5)
    text = job_text().replace("[task]", '[task]\nkind = "text"').replace("digits", "csv:a.csv")
    text = text.replace('model = "resnet8"', "")
    app = AuditorApp(home)
    async with app.run_test(size=(160, 48)) as pilot:
        await app.push_screen(JobScreen(text, tmp_path / "job.toml"))
        await until(pilot, lambda: "10 texts in 2 classes; left out: the header" in " ".join(_plan(app).split()))
        (tmp_path / "a.csv").unlink()
        await app.push_screen(JobScreen(text, tmp_path / "job.toml"))
        await until(pilot, lambda: "warning: the data cannot be used: csv:" in " ".join(_plan(app).split()))
