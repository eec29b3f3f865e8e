"""The screen of an evolving job."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.audit.record import events as e
from auditor.audit.record.findings import Cost, Outcome, ProviderVerdict
from auditor.audit.record.update_events import AttackSuccess
from auditor.job import parse_job
from auditor.store import RunRecord, Store
from auditor.tui.app import AuditorApp
from auditor.tui.screens.evolution import EvolutionScreen
from auditor.tui.screens.verdict import VerdictScreen
from tests.tui.recorded import NAMES, beginning, digest, ending, job_text
from tests.tui.walking import screen_text, text_of, until

COST = Cost(40, 20, 0.5, 3.0, 1_000, None)


def verdicts(flagged: bool) -> tuple[ProviderVerdict, ...]:
    found = [ProviderVerdict(name, "consistent", 1.0, 1.0, 2, ("agrees",)) for name in NAMES]
    if flagged:
        found[0] = ProviderVerdict(NAMES[0], "flagged", 1e-9, 50.0, 2, ("deviates",))
    return tuple(found)


def update(number: int, chain: str, *, flagged: bool = False, success: float = 0.0) -> list[e.Event]:
    attack = AttackSuccess(NAMES[0], "badnets", flagged, success, None)
    outcome: Outcome = "flagged" if flagged else "clean"
    return [
        e.UpdateStarted(number, f"{chain}.{number}", 40, f"rotate by {4 * number}" if number else None),
        e.UpdateMeasured(number, 0.97, 0.97 - 0.1 * number, (attack,)),
        e.UpdateFinished(number, f"{chain}.{number}", outcome, verdicts(flagged), COST, digest(number)),
    ]


def record_chain(home: Path) -> RunRecord:
    """Three updates of four: the second was poisoned, and the third is under way."""
    text = job_text().replace("rate = 0.5 }", "rate = 0.5, updates = [1] }")
    text = text.replace("[audit]", '[evolution]\nupdates = 3\ndrift = { name = "rotate", step = 4.0 }\n[audit]', 1)
    job = parse_job(text)
    with Store(home) as store:
        chain = store.create_run(job.name, job.model_dump_json(), "job.toml")
        parent = None
        for number in range(3):
            run = store.create_update(chain, number, parse_job(job_text()).model_dump_json(), parent)
            parent = run.id
            for event in [*beginning(), *(ending() if number < 2 else [])]:
                store.append(run.id, event.kind, event.payload())
        started = e.RunStarted("evolving", NAMES[0], NAMES[1:], 180, 10, 18, "ratio", "noise", ())
        events = [
            started,
            *update(0, chain.id),
            *update(1, chain.id, flagged=True, success=0.9),
            e.UpdateStarted(2, f"{chain.id}.2", 40, "rotate by 8"),
        ]
        for event in events:
            store.append(chain.id, event.kind, event.payload())
    return chain


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_the_updates_and_what_survives_are_seen_and_opened(home: Path, size: tuple[int, int]) -> None:
    chain = record_chain(home)
    app = AuditorApp(home)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: chain.id in screen_text(app))
        assert f"{chain.id}.1" not in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: "update 2 of 3" in text_of(app, "#title"))
        assert isinstance(app.screen, EvolutionScreen)
        await until(pilot, lambda: "badnets 90 %, acted" in screen_text(app))
        assert "rotate by 8" in screen_text(app)
        await pilot.press("2")
        await until(pilot, lambda: "badnets by aurora: 90 %; acted in 1, alive after 0 updates" in screen_text(app))
        await pilot.press("3")
        await until(pilot, lambda: "update 1: deviates" in screen_text(app))
        await pilot.press("4")
        await until(pilot, lambda: "update 1 ended: flagged (aurora)" in screen_text(app))
        await pilot.press("1", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, VerdictScreen))
        assert f"{chain.id}.1" in text_of(app, "#title")
        await pilot.press("escape", "down", "enter")
        await until(pilot, lambda: f"{chain.id}.2" in text_of(app, "#title"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, EvolutionScreen))


async def test_the_screen_keeps_up_with_the_job_and_resumes_it_as_a_whole(home: Path) -> None:
    chain = record_chain(home)
    app = AuditorApp(home, chain.id, evolves=True)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "stopped" in text_of(app, "#title") and "r resumes it" in text_of(app, "#title"))
        with Store(home) as store:
            for event in update(2, chain.id, success=0.3)[1:]:
                store.append(chain.id, event.kind, event.payload())
        await until(pilot, lambda: "badnets 30 %" in screen_text(app))
        await until(pilot, lambda: "survived 0 updates" in screen_text(app))
