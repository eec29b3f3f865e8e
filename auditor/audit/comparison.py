"""What was returned for a sub-run, compared: the models that can be, their distances, and how that is recorded."""

from __future__ import annotations

import asyncio
from pathlib import Path

from auditor.audit.checkpoints import Checkpoints
from auditor.audit.comparator import Comparator
from auditor.audit.copies import Copies
from auditor.audit.measurement import Measurement
from auditor.audit.record.events import DistancesMeasured, EqualModels, MetricFailed, ModelsSketched, SubRunUndecided
from auditor.audit.record.packed_sketches import packed
from auditor.audit.session import Session
from auditor.audit.verdicts import finite_models
from auditor.base.seeds import Seeds

NOT_FINITE = "weights that are not finite numbers"
IDLE = "returned the parameters that it had been given, unchanged, where most of the others trained"


class Comparison:
    """Compares the models of sub-runs, one sub-run at a time.

    Args:
        session: the audit.
        checkpoints: those that the client holds.
        comparator: measures the distances.
        copies: knows equal models.
    """

    def __init__(self, session: Session, checkpoints: Checkpoints, comparator: Comparator, copies: Copies) -> None:
        self._session = session
        self._checkpoints = checkpoints
        self._comparator = comparator
        self._copies = copies
        self._turn = asyncio.Lock()

    async def compare(self, sub_run: int, start: Path, end: Path | None) -> bool:
        """Record the distances among the models of a sub-run; whether there were enough to compare.

        Args:
            sub_run: which.
            start: the checkpoint that it starts from.
            end: what the primary returned; None where that cannot be had.
        """
        session = self._session
        returned = await self._comparable(sub_run, start, end)
        if len(returned) < 2:
            session.write(SubRunUndecided(sub_run, self._why_nothing(sub_run)))
            return False
        first, last = session.boundaries[sub_run : sub_run + 2]
        async with self._turn:
            given_up = session.state.given_up
            measurements = await self._comparator.measure(start, returned, first, last - first, given_up)
            if session.budget.adds_up:
                sketches = await self._comparator.sketch(start, returned)
                session.write(ModelsSketched(sub_run, tuple(sketches), packed(list(sketches.values()))))
        for measurement in measurements:
            self._record(sub_run, measurement)
        return True

    def _record(self, sub_run: int, measurement: Measurement) -> None:
        write, metric = self._session.write, measurement.metric
        if measurement.failure is not None:
            if (metric, None) not in self._session.state.sub_run(sub_run).failed_metrics:
                write(MetricFailed(sub_run, metric, None, measurement.failure, measurement.given_up))
            return
        for provider, reason in measurement.excluded.items():
            write(MetricFailed(sub_run, metric, provider, reason))
        write(
            DistancesMeasured(
                sub_run,
                metric,
                measurement.providers,
                measurement.values,
                measurement.noise.floor,
                measurement.seconds,
                measurement.remarks,
                measurement.spread,
                measurement.noise.size,
                measurement.noise.source,
            )
        )

    async def _comparable(self, sub_run: int, start: Path, end: Path | None) -> dict[str, Path]:
        """The returned models that can be compared, by provider, in the job's order.

        Weights must be finite. Where each provider draws its own seeds, each model must be its provider's own work.
        """
        session = self._session
        known = session.state.sub_run(sub_run)
        digests: dict[str, str] = {}  # in the order in which they were committed to
        if end is not None and session.state.boundaries[sub_run + 1].finite:
            digests[session.primary.name] = session.state.boundaries[sub_run + 1].digest
        for name, replica in sorted(known.replicas.items(), key=lambda item: item[1].returned):
            if replica.digest is not None and replica.failure is None and replica.finite:
                digests[name] = replica.digest
        paths = {name: self._checkpoints.path(digest) for name, digest in digests.items()}
        if session.job.audit.seeds is Seeds.OWN:
            await self._leave_out_copies(sub_run, start, paths)
        return {name: paths[name] for name in session.state.providers if name in paths}

    async def _leave_out_copies(self, sub_run: int, start: Path, paths: dict[str, Path]) -> None:
        session = self._session
        for name in await asyncio.to_thread(self._copies.idle, start, paths):
            if (sub_run, IDLE) not in session.state.provider(name).misbehaviour:
                session.blame(session.connections[name], sub_run, IDLE)
            del paths[name]
        for pair in await asyncio.to_thread(self._copies.pairs, start, paths):
            known = session.state.sub_run(sub_run).equal
            if (pair.first, pair.second, pair.parameters) not in known:
                session.write(EqualModels(sub_run, pair.first, pair.second, pair.parameters))
            del paths[pair.second]

    def _why_nothing(self, sub_run: int) -> str:
        """Why there is nothing to compare."""
        finite = finite_models(sub_run, self._session.state)
        if len(finite) > 1 and not any(finite.values()):
            return f"every provider returned {NOT_FINITE}: the training diverges; a lower learning rate may help"
        return "fewer than two providers returned a comparable model"
