"""Simulated providers: one process of this machine serves all of a run."""

from __future__ import annotations

from typing import Any, ClassVar

from auditor.job.endpoint import SimulatedEndpoint
from auditor.providers.launcher import Launch
from auditor.providers.local_launcher import LocalLauncher


class SimulatedLauncher(LocalLauncher):
    """Starts a process that serves every simulated provider."""

    module: ClassVar[str] = "auditor.providers.simulated.process"

    def order(self, launch: Launch) -> dict[str, Any]:
        """See `LocalLauncher`."""
        endpoint = launch.endpoint
        deviation = endpoint.deviation if isinstance(endpoint, SimulatedEndpoint) else 0.0
        return {**super().order(launch), "deviation": deviation}
