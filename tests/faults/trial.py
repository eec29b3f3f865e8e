"""One audit under one fault, and whether all is there afterwards that should be."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path

from auditor.audit.verification import verify_run
from auditor.store import Store
from tests.faults.kinds import EVENTS, FAULTS
from tests.faults.scene import AGENTS, Scene

MOST_RESUMED = 8
DECIDED = (0, 10, 11)
"""The exit codes of an audit that came to its end."""
HONEST = {
    "flagged": ("flagged", "inconclusive", "unreachable"),
    "consistent": ("consistent", "inconclusive", "unreachable"),
}
"""What may become of a provider that is, undisturbed, found to be this, where a fault spoils."""


@dataclass
class Outcome:
    """How it went.

    Attributes:
        fault: its kind.
        seed: of the audit.
        code: the exit code in the end.
        verdicts: by provider.
        resumed: how often the audit was resumed.
        seconds: that it took.
        same: whether the verdicts are those of an undisturbed audit.
        losses: what is wrong, in words; empty where nothing is.
    """

    fault: str
    seed: int
    code: int | None = None
    verdicts: dict[str, str] = field(default_factory=dict)
    resumed: int = 0
    seconds: float = 0.0
    same: bool = False
    losses: list[str] = field(default_factory=list)


def trial(kind: str, seed: int) -> Outcome:
    """Run one audit while a fault of this kind happens to it; `seed` draws when, to whom, and who deviates."""
    fault, outcome, begun = FAULTS[kind], Outcome(kind, seed), time.monotonic()
    deviant = (None, "c")[seed % 2]
    with Scene(seed, deviant=deviant, cuts=fault.cuts, delays=fault.delays) as scene:
        moments = sorted(scene.draws.randint(*EVENTS) for _ in range(scene.draws.randint(1, fault.times)))
        try:
            for moment in moments:
                if not scene.reach(moment):
                    _go_on(scene)
                if not scene.auditor.ended():
                    fault.do(scene)
            while not _decided(scene):
                _go_on(scene)
        except Exception as error:  # the harness goes on with the next
            outcome.losses.append(f"{type(error).__name__}: {error}")
        outcome.code, outcome.resumed = scene.auditor.code, scene.resumed
        _check(scene, outcome, deviant)
        if outcome.losses and (kept := os.environ.get("KEEP_FAULTS")):
            shutil.copytree(scene.folder, Path(kept, str(seed)), ignore=shutil.ignore_patterns("*.s", "*.net"))
    outcome.seconds = time.monotonic() - begun
    return outcome


def _decided(scene: Scene) -> bool:
    """Whether the audit is over and came to a verdict."""
    scene.reach(10**9)
    return scene.auditor.code in DECIDED


def _go_on(scene: Scene) -> None:
    """Resume an audit whose process ended without a verdict."""
    if not scene.auditor.ended() or scene.auditor.code in DECIDED:
        return
    if scene.resumed == MOST_RESUMED:
        raise RuntimeError(f"resumed {MOST_RESUMED} times, and the auditor ends with {scene.auditor.code} again")
    scene.resume()


def _check(scene: Scene, outcome: Outcome, deviant: str | None) -> None:
    fault, told = FAULTS[outcome.fault], scene.acknowledged
    expected = {name: "flagged" if name == deviant else "consistent" for name in AGENTS}
    last = told[-1] if told else {}
    outcome.verdicts = {one["name"]: one["verdict"] for one in last.get("providers", ())}
    outcome.same = outcome.verdicts == expected
    lost = outcome.losses
    if last.get("event") != "verdict":
        lost.append(f"no verdict; the auditor ended with {outcome.code}")
    for name, verdict in outcome.verdicts.items():
        if verdict not in HONEST[expected[name]]:
            lost.append(f"{name} is {verdict}, undisturbed {expected[name]}")
    if not outcome.same and not fault.spoils and not lost:
        lost.append(f"other verdicts: {outcome.verdicts}")
    if "Traceback" in scene.narration:
        lost.append("a traceback: " + scene.narration[scene.narration.index("Traceback") :][-600:])
    with Store(scene.home) as store, chdir(scene.folder):
        runs = {record.id: {one.seq: one for one in store.events(record.id)} for record in store.runs()}
        for event in told:
            kept = runs.get(event["run"], {}).get(event["seq"])
            if kept is None or kept.kind != event["event"] or kept.payload.get("digest") != event.get("digest"):
                lost.append(f"event {event['seq']} ({event['event']}) was told of and is not in the store")
        for run in store.runs():
            if run.id != last.get("run"):
                continue
            for check in verify_run(run, store):
                gone = "are not in the store" in check.detail
                if (check.holds is False or gone) and not fault.flips:
                    lost.append(f"verify: {check.subject}: {check.detail}")
