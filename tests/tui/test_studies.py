"""Studies in the interface: the list, and the picture of one as updates are measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.experiments.evolving.record import RECORD, recording
from auditor.tui.app import AuditorApp
from auditor.tui.screens.study import StudyScreen
from tests.experiments.evolving.test_record import measure, record
from tests.tui.walking import screen_text, text_of, until


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_study_is_listed_and_its_curves_are_seen_as_they_are_measured(
    home: Path, size: tuple[int, int]
) -> None:
    folder = home / "studies"
    (folder / "small").mkdir(parents=True)
    app = AuditorApp(home)
    with recording(folder / "small", record()):
        measure(folder, "badnets-0a", [0.1, 0.9])
        async with app.run_test(size=size) as pilot:
            await pilot.press("5")
            await until(pilot, lambda: "running" in screen_text(app))
            assert "2/32" in screen_text(app)
            await pilot.press("enter")
            await until(pilot, lambda: "✗ badnets: 90 %; poisoned in 1" in screen_text(app))
            assert isinstance(app.screen, StudyScreen)
            assert "2 of 32 models measured" in text_of(app, "#title")
            measure(folder, "badnets-0a", [0.1, 0.9, 0.7])
            await until(pilot, lambda: "✗ badnets: 70 %" in screen_text(app))
            await pilot.press("2")
            await until(pilot, lambda: "blend, rate 0.1" in screen_text(app))
            measure(folder, "blend-0a", [0.1, 0.6])
            await pilot.press("down", "enter")
            await until(pilot, lambda: "◆ blend: 60 %" in screen_text(app))
            assert "accuracy of blend: 90 %" in screen_text(app)
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, StudyScreen))


async def test_no_study_and_a_damaged_one_are_said_to_be(home: Path) -> None:
    app = AuditorApp(home)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: "A terminal starts one: auditor study FILE" in screen_text(app))
        (home / "studies" / "odd[red]").mkdir(parents=True)
        (home / "studies" / "odd[red]" / RECORD).write_text("{}")
        await until(pilot, lambda: "damaged" in screen_text(app))
        assert "odd[red]" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: "is damaged" in text_of(app, "#title"))
