"""The form for a job: another kind of task brings a dataset and a model that suit it, and keeps what was typed."""

from __future__ import annotations

from textual.widgets import Input, Select

from auditor.tui.app import AuditorApp
from tests.tui.walking import screen_text, until


async def test_a_text_task_brings_its_own_dataset_and_model(app: AuditorApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Press g" in screen_text(app))
        await pilot.press("3", "c")
        await until(pilot, lambda: "Complete:" in screen_text(app))

        def held(field: str) -> str:
            return app.screen.query_one(f"#{field}", Input).value

        kind = app.screen.query_one("#kind", Select)
        kind.value = "text"
        await until(pilot, lambda: (held("dataset"), held("model")) == ("reviews", "transformer"))
        await until(pilot, lambda: "Complete:" in screen_text(app))
        app.screen.query_one("#dataset", Input).value = "tsv:mine.tsv"
        kind.value = "vision"
        await until(pilot, lambda: (held("dataset"), held("model")) == ("tsv:mine.tsv", "resnet8"))
        await until(pilot, lambda: "tasks of kind 'text'" in " ".join(screen_text(app).split()))
