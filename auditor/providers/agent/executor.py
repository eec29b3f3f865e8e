"""What executes the runs of an agent: the contract between its HTTP face and whatever makes checkpoints."""

from __future__ import annotations

from abc import ABC, abstractmethod

from auditor.providers.agent.agent_run import AgentRun
from auditor.providers.protocol import Simulation


class Executor(ABC):
    """Executes the runs of one agent, one after another."""

    @abstractmethod
    def submit(self, agent_run: AgentRun) -> None:
        """Execute a run when those before it are over."""

    @abstractmethod
    async def simulation(self, agent_run: AgentRun) -> Simulation | None:
        """What the simulated attack achieved in a finished run; None without an attack or a result."""
