"""Checking a run from what the store has of it, without asking anybody and without believing what was concluded.

The events of a toss, the initial state and the checkpoints can be computed again, and signatures be checked. What
cannot be is said to be unchecked: the client's word that a provider refused, or a state that nobody disclosed the seed
of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from auditor.audit.record.fold import fold
from auditor.audit.record.state import AuditState
from auditor.audit.selection import Selection
from auditor.audit.stored_job import stored_job
from auditor.audit.verified_signatures import verified_signatures
from auditor.audit.verified_start import verified_start
from auditor.base.coin import CLIENT, Fault, Opening, commitment, judge, opens
from auditor.job.model import Job
from auditor.store import DamagedRun, RunRecord, Store
from auditor.store.blobs import DIGEST


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        run: of which run.
        subject: what.
        holds: whether it is as the events say; None where that could not be checked.
        detail: what was found, or why nothing could be.
    """

    run: str
    subject: str
    holds: bool | None
    detail: str


def verify_run(run: RunRecord, store: Store) -> Iterator[Check]:
    """Check everything that can be checked of a run; of an evolving job, of its updates, too.

    Raises:
        StoreError: the store cannot be read now.
    """
    try:
        job, records = stored_job(run), store.events(run.id)
        state = fold(records)
    except DamagedRun as error:
        yield Check(run.id, "events", False, str(error))
        return
    gapless = [record.seq for record in records] == list(range(1, len(records) + 1))
    words = f"{len(records):,} events, numbered without gaps" if gapless else "numbers are missing"
    yield Check(run.id, "events", gapless, words)
    for subject, holds, detail in _tosses(run, job, state):
        yield Check(run.id, subject, holds, detail)
    if job.evolution is None:
        holds, detail = verified_start(run, job, state, store)
        yield Check(run.id, "initial state", holds, detail)
    for subject, holds, detail in verified_signatures(job, state):
        yield Check(run.id, subject, holds, detail)
    for subject, holds, detail in _blobs(job, state, store.run_folder(run.id) / "blobs"):
        yield Check(run.id, subject, holds, detail)
    for update in store.updates(run.id):
        yield from verify_run(update, store)


Found = tuple[str, bool | None, str]


def _tosses(run: RunRecord, job: Job, state: AuditState) -> Iterator[Found]:
    selection, out = Selection(job, run.secret), set[str]()
    known = {CLIENT, *(provider.name for provider in job.providers)}
    settled = False
    for number, (toss, found) in enumerate(state.tosses.items(), start=1):
        subject = toss.rpartition(".")[2]
        pairs = [(one.name, one.commitment) for one in found.committed.commitments]
        names = [name for name, _ in pairs]
        own = commitment(toss, CLIENT, selection.toss_opening(toss))
        problems = [
            *(["it came after a toss that had succeeded"] if settled else []),
            *([f"it is the toss {number} of this run"] if toss != f"{run.id}.toss-{number}" else []),
            *(["a participant is there twice"] if len(set(names)) < len(names) else []),
            *([f"{', '.join(sorted(set(names) - known))} is no provider of the job"] if set(names) - known else []),
            *([f"{', '.join(sorted(out & set(names)))} had been left out before"] if out & set(names) else []),
            *(
                []
                if pairs[:1] == [(CLIENT, own)]
                else ["the client's commitment does not follow from the run's secret"]
            ),
        ]
        detail = "; ".join(problems) or f"{len(pairs)} commitments; the client's follows from the run's secret"
        yield f"{subject}: commitments", not problems, detail
        if found.revealed is None:
            yield f"{subject}: reveals", None, "nobody has revealed anything yet"
            continue
        revealed = found.revealed
        openings = {one.name: Opening(one.value, one.salt) for one in revealed.values}
        refused = {name: "" for name, fault in revealed.faults.items() if fault is Fault.REFUSED}
        judged = judge(toss, pairs, openings, refused)
        wrong = [name for name, made in pairs if name in openings and not opens(toss, name, openings[name], made)]
        unnamed = [name or "the client" for name in wrong if name not in revealed.faults]
        detail = f"{len(openings) - len(wrong)} of {len(pairs)} open their commitments"
        detail += f"; {', '.join(unnamed)} does not, and is not named" if unnamed else ""
        yield f"{subject}: reveals", not unnamed and set(openings) <= set(names), detail
        for name in sorted(revealed.faults.keys() | judged.faults.keys()):
            yield _named(subject, name, revealed.faults.get(name), judged.faults.get(name))
        if tuple(judged.missing) != tuple(revealed.missing):
            yield f"{subject}: late", False, "others are missing than are said to be late"
        yield _seed(subject, revealed.seed, judged.seed)
        out |= set(revealed.faults)
        settled = settled or revealed.seed is not None


def _named(subject: str, name: str, said: Fault | None, found: Fault | None) -> Found:
    place = f"{subject}: {name or 'the client'}"
    if said is not found:
        return place, False, f"it is named for {said or 'nothing'}, and the transcript shows {found or 'nothing'}"
    if said is Fault.REFUSED:
        return place, None, "it is named for a refusal, for which there is the client's word only"
    return place, True, f"it is named because it {said}, and the transcript shows it"


def _seed(subject: str, said: str | None, found: str | None) -> Found:
    if said != found:
        return f"{subject}: seed", False, f"the values give {found or 'no seed'}, not {said or 'none'}"
    return f"{subject}: seed", True, "it is the digest of all values" if said else "there is none, as there should be"


def _blobs(job: Job, state: AuditState, folder: Path) -> Iterator[Found]:
    """Every checkpoint in the store against its name, and those that events name against what is in the store."""
    there, sound = set[str](), 0
    for path in sorted(folder.glob("*")):
        if not DIGEST.fullmatch(path.name):
            continue
        there.add(path.name)
        try:
            with path.open("rb") as file:
                same = hashlib.file_digest(file, "sha256").hexdigest() == path.name
        except OSError as error:
            yield f"checkpoint {path.name[:12]}", None, f"it cannot be read: {error.strerror or error}"
            continue
        sound += same
        if not same:
            yield f"checkpoint {path.name[:12]}", False, "its bytes are not those of its name"
    if there:
        yield "checkpoints", True, f"{sound} of {len(there)} in the store have the bytes of their names"
    named = {made.digest for made in state.boundaries.values() if made.finite is not None}
    named |= {
        replica.digest for sub_run in state.sub_runs.values() for replica in sub_run.replicas.values() if replica.digest
    }
    if 0 in state.boundaries and not job.primary_draws_start:
        named.add(state.boundaries[0].digest)
    if gone := named - there:
        yield "checkpoints", None, f"{len(gone)} that events name are not in the store"
