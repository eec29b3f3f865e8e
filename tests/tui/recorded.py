"""A recorded audit, with fixed times and names, put into a store as if it had happened."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from auditor.audit.record import events as e
from auditor.audit.record.findings import Cost, ProviderVerdict, RecordedJudgement
from auditor.job import Job, parse_job
from auditor.store import Store

RUN = "recorded-0a1b2c"
NAMES = ("aurora", "borealis", "cirrus")
START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def job_text(names: Sequence[str] = NAMES, steps: int = 60, k: int = 10) -> str:
    """A small job with these local providers; the first is the primary and malicious."""
    lines = [
        'name = "recorded"',
        "seed = 7",
        '[task]\nkind = "vision"\ndataset = "digits"\nmodel = "resnet8"',
        f"[training]\nsteps = {steps}\nbatch_size = 32",
        f'[audit]\nsub_run_steps = {k}\nreplicated = 2\nmetrics = ["update"]\nfalse_alarm_rate = 0.001',
    ]
    for index, name in enumerate(names):
        lines.append(f'[[providers]]\nname = {json.dumps(name)}\nendpoint = "local:cpu"\nprice_per_hour = 2.0')
        if index == 0:
            lines.append('primary = true\nattack = { name = "badnets", target = 0, rate = 0.5 }')
    return "\n".join(lines) + "\n"


def job(names: Sequence[str] = NAMES) -> Job:
    """The job of `job_text`."""
    return parse_job(job_text(names))


def digest(number: int) -> str:
    """A digest that is told from others at once."""
    return f"{number:02x}" * 32


def beginning(names: Sequence[str] = NAMES) -> list[e.Event]:
    """Two sub-runs done, the first of them replicated and judged; the third under way."""
    primary, *replicas = names
    return [
        e.RunStarted(
            "recorded", primary, tuple(replicas), 60, 10, 6, "ratio", "honest results differ by noise only", ()
        ),
        *(e.ProviderReady(name, "cpu", 1, "auditor 0.1.0") for name in names),
        e.Committed(0, 0, digest(0), None),
        e.PrimaryStarted(primary, "x-primary", 0, digest(0), 80_000),
        e.Committed(1, 10, digest(1), 2.25),
        e.Drawn(0, True),
        e.BoundaryOpened(1, digest(1), 80_000, True),
        *(e.ReplicaStarted(0, name, f"x-0-{name}", 80_000) for name in replicas),
        e.Committed(2, 20, digest(2), 1.5),
        e.Drawn(1, False),
        *(e.ReplicaReturned(0, name, digest(17), 80_000, 0.9, True) for name in replicas),
        measured(0, names),
        judged(0, names),
        e.Progressed(primary, None, 24, 1.2, 12.0),
    ]


def measured(sub_run: int, names: Sequence[str] = NAMES) -> e.DistancesMeasured:
    """Distances with the first provider far from the others."""
    values = tuple(
        tuple(0.0 if i == j else 0.62 if 0 in (i, j) else 0.011 for j in range(len(names))) for i in range(len(names))
    )
    return e.DistancesMeasured(sub_run, "update", tuple(names), values, 0.01, 0.2)


def judged(sub_run: int, names: Sequence[str] = NAMES) -> e.SubRunJudged:
    """The judgement that goes with `measured`."""
    return e.SubRunJudged(
        sub_run,
        tuple(
            RecordedJudgement(
                metric="update",
                provider=name,
                p_value=2.2953444329279158e-17 if index == 0 else 0.5,
                ratio=31.0 if index == 0 else 1.0,
                note="",
                threshold=0.00025,
                deviates=index == 0,
            )
            for index, name in enumerate(names)
        ),
    )


def ending(names: Sequence[str] = NAMES) -> list[e.Event]:
    """The rest: one more replicated sub-run, a replica that fails, the verdicts."""
    primary, *replicas = names
    return [
        *(e.Committed(number, 10 * number, digest(number), 1.0 / number) for number in (3, 4, 5, 6)),
        *(e.Drawn(index, index == 3) for index in (2, 3, 4, 5)),
        *(e.ReplicaStarted(3, name, f"x-3-{name}", 80_000) for name in replicas),
        e.ReplicaReturned(3, replicas[0], digest(20), 80_000, 0.9, True),
        e.ReplicaFailed(3, replicas[-1], "it failed: out of memory", 4),
        e.SubRunUndecided(3, "too few models to compare"),
        e.PrimaryFinished(primary, 5.0),
        e.ModelDelivered(60, digest(6), "blobs/060606", 80_000, 0.97),
        e.AuditFinished(
            "flagged",
            tuple(
                ProviderVerdict(
                    name=name,
                    verdict="flagged" if index == 0 else "inconclusive" if name == replicas[-1] else "consistent",
                    p_value=5e-17 if index == 0 else 0.9,
                    ratio=31.0 if index == 0 else 1.0,
                    sub_runs_checked=1,
                    reasons=("deviates in 1 of 1 replicated sub-runs" if index == 0 else "agrees with the others",),
                )
                for index, name in enumerate(names)
            ),
            Cost(training_steps=60, extra_steps=34, overhead=34 / 60, seconds=11.2, bytes=640_000, dollars=0.02),
        ),
    ]


def record(
    folder: Path, events: Sequence[e.Event], *, run: str = RUN, job_: Job | None = None, minutes: int = 0
) -> str:
    """Put a run into the store under `folder`; half a second passes between two events."""
    Store(folder).close()
    start = START + timedelta(minutes=minutes)
    connection = sqlite3.connect(folder / "auditor.db")
    with connection:
        text = (job_ or job()).model_dump_json()
        connection.execute(
            "INSERT INTO runs (id, created, job, source, secret) VALUES (?, ?, ?, 'recorded.toml', x'00')",
            (run, _time(start), text),
        )
        for seq, event in enumerate(events, start=1):
            when = _time(start + timedelta(seconds=seq / 2))
            row = (run, seq, when, event.kind, json.dumps(event.payload()))
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", row)
    connection.close()
    return run


def _time(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
