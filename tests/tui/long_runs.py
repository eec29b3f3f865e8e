"""A recorded audit of many sub-runs, a few of them flagged."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from auditor.audit.record import events as e
from auditor.job import parse_job
from tests.tui.recorded import NAMES, beginning, digest, ending, job_text, judged, measured, record

RUN = "long-1a2b3c"
SUB_RUNS = 200
CHECKED = (3, 40, 90, 120, 150, 197)
FLAGGED = (3, 90, 150, 197)


def record_long(
    folder: Path, names: Sequence[str] = NAMES, flagged: Collection[int] = FLAGGED, *, ends: bool = True
) -> str:
    """Put it into the store under `folder`; the first provider is flagged in the sub-runs `flagged` of `CHECKED`."""
    primary, *replicas = names
    first = beginning(names)[0]
    assert isinstance(first, e.RunStarted)
    events: list[e.Event] = [replace(first, steps=10 * SUB_RUNS, sub_runs=SUB_RUNS)]
    events += [e.ProviderReady(name, "cpu", 1, "auditor 0.1.0") for name in names]
    events += [e.Committed(0, 0, digest(0), None), e.PrimaryStarted(primary, "x-primary", 0, digest(0), 80_000)]
    for index in range(SUB_RUNS):
        events += [e.Committed(index + 1, 10 * (index + 1), digest((index + 1) % 100), 1.0)]
        events += [e.Drawn(index, index in CHECKED)]
        if index in CHECKED:
            found = judged(index, names)
            kept = [one if index in flagged else replace(one, deviates=False, ratio=1.0) for one in found.judgements]
            events += [e.ReplicaStarted(index, name, f"x-{index}-{name}", 80_000) for name in replicas]
            events += [e.ReplicaReturned(index, name, digest(17), 80_000, 0.9, True) for name in replicas]
            events += [measured(index, names), replace(found, judgements=tuple(kept))]
    events += ending(names)[-3:] if ends else []
    return record(folder, events, run=RUN, job_=parse_job(job_text(names, steps=10 * SUB_RUNS)))
