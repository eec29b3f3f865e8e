"""The end of an audit: the model delivered, the simulated attacks measured, the verdicts given."""

from __future__ import annotations

from auditor.audit.checkpoints import Checkpoints
from auditor.audit.connections import Connection
from auditor.audit.record.events import AttackMeasured, AuditFinished
from auditor.audit.record.findings import Cost
from auditor.audit.session import Session
from auditor.audit.verdicts import outcome_of, unasked
from auditor.base.hostile_text import cleaned
from auditor.providers.errors import ProviderError


class Conclusion:
    """Ends an audit whose training and replications are over.

    Args:
        session: the audit.
        checkpoints: those that the client holds.
    """

    def __init__(self, session: Session, checkpoints: Checkpoints) -> None:
        self._session = session
        self._checkpoints = checkpoints

    async def reach(self) -> None:
        """Fetch the model, ask simulated adversaries what they achieved, and give the verdicts."""
        session = self._session
        if session.state.primary_finished and session.state.delivered is None:
            await self._checkpoints.deliver()
        for connection in session.reachable:
            if connection.provider.attack is not None and connection.name not in session.state.attacks:
                await self._measure_attack(connection)
        verdicts = await session.verdicts()
        # A referee that nobody needed says nothing about the run, unless it spoiled a toss.
        idle = unasked(session.state) if session.job.has_referee else set()
        outcome = outcome_of(
            verdict for verdict in verdicts if verdict.name not in idle or verdict.verdict == "flagged"
        )
        session.write(AuditFinished(outcome, tuple(verdicts), self._cost(), session.job.simulated))

    async def _measure_attack(self, adversary: Connection) -> None:
        execution = self._latest_execution(adversary)
        if execution is None:
            return
        try:
            achieved = await adversary.client.simulation(execution)
        except ProviderError:
            return  # an agent that was started again does not know its earlier runs
        attack, failure = cleaned(achieved.attack, 64), achieved.failure and cleaned(achieved.failure)
        self._session.write(
            AttackMeasured(
                adversary.name,
                attack,
                achieved.clean_accuracy,
                achieved.success_rate,
                failure,
                achieved.delivered_rate,
            )
        )

    def _latest_execution(self, connection: Connection) -> str | None:
        state = self._session.state
        if connection is self._session.primary:
            return state.execution[0] if state.execution is not None and state.primary_finished else None
        executions = [
            sub_run.replicas[connection.name].execution
            for _, sub_run in sorted(state.sub_runs.items())
            if connection.name in sub_run.replicas and sub_run.replicas[connection.name].digest is not None
        ]
        return executions[-1] if executions else None

    def _cost(self) -> Cost:
        state, job = self._session.state, self._session.job
        steps = state.step
        dollars = None
        if all(provider.price_per_hour is not None for provider in job.providers):
            dollars = sum(
                (provider.price_per_hour or 0.0) * state.provider(provider.name).seconds / 3600
                for provider in job.providers
            )
        return Cost(
            training_steps=steps,
            extra_steps=state.extra_steps,
            overhead=state.extra_steps / steps if steps else 0.0,
            seconds=round(state.seconds, 3),
            bytes=state.bytes,
            dollars=dollars,
        )
