"""The end of an audit: the model delivered, the simulated attacks measured, the verdicts given."""

from __future__ import annotations

import asyncio

from auditor.audit.checkpoints import Checkpoints
from auditor.audit.events import AttackMeasured, AuditFinished, ModelDelivered
from auditor.audit.findings import Cost
from auditor.audit.parties import Party
from auditor.audit.setting import Setting
from auditor.audit.verdicts import judge_providers, outcome_of, unasked
from auditor.base.hostile_text import cleaned
from auditor.providers.errors import ProviderError


class Closing:
    """Ends an audit whose training and replications are over."""

    def __init__(self, setting: Setting, checkpoints: Checkpoints) -> None:
        self._setting = setting
        self._checkpoints = checkpoints

    async def close(self) -> None:
        """Fetch the model, ask simulated adversaries what they achieved, and give the verdicts."""
        setting = self._setting
        if setting.state.primary_finished and setting.state.delivered is None:
            await self._deliver()
        for party in setting.parties.reachable:
            if party.provider.attack is not None and party.name not in setting.state.attacks:
                await self._measure_attack(party)
        # Where somebody stopped it for what it had found so far, no further look is due.
        ended = not setting.settled.is_set()
        verdicts = judge_providers(setting.state, setting.choice, setting.assumptions, ended=ended)
        # A referee that nobody needed says nothing about the run.
        idle = unasked(setting.state) if setting.job.has_referee else set()
        outcome = outcome_of(one for one in verdicts if one.name not in idle)
        setting.write(AuditFinished(outcome, tuple(verdicts), self._cost()))

    async def _deliver(self) -> None:
        setting, last = self._setting, len(self._setting.boundaries) - 1
        final = setting.state.boundaries[last]
        path = await self._checkpoints.open(last)
        if path is None:
            if (reason := self._checkpoints.gone(last)) is not None:
                setting.parties.lose(setting.primary, f"it did not deliver its model: {reason}")
            return
        accuracy = await asyncio.to_thread(setting.workspace.accuracy, path)
        setting.write(ModelDelivered(final.step, final.digest, str(path), 0, accuracy))

    async def _measure_attack(self, party: Party) -> None:
        execution = self._latest_execution(party)
        if execution is None:
            return
        try:
            achieved = await party.client.simulation(execution)
        except ProviderError:
            return  # an agent that was started again does not know its earlier runs
        attack, failure = cleaned(achieved.attack, 64), achieved.failure and cleaned(achieved.failure)
        self._setting.write(AttackMeasured(party.name, attack, achieved.clean_accuracy, achieved.success_rate, failure))

    def _latest_execution(self, party: Party) -> str | None:
        state = self._setting.state
        if party is self._setting.primary:
            return state.execution[0] if state.execution is not None and state.primary_finished else None
        executions = [
            sub_run.replicas[party.name].execution
            for _, sub_run in sorted(state.sub_runs.items())
            if party.name in sub_run.replicas and sub_run.replicas[party.name].digest is not None
        ]
        return executions[-1] if executions else None

    def _cost(self) -> Cost:
        state, job = self._setting.state, self._setting.job
        steps = max((boundary.step for boundary in state.boundaries.values()), default=0)
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
