"""How an agent is set up."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.job.plugin_file import PluginFile


@dataclass(frozen=True)
class AgentSettings:
    """What an agent is told when it starts.

    Attributes:
        name: what it calls itself.
        device: what it trains on, `cpu` or `cuda:N`.
        threads: CPU threads it may use.
        folder: where it keeps checkpoints and what it must remember.
        downloads: where it keeps datasets that torchvision downloads.
        attack: the adversary it simulates, as a table with a name and options.
        plugins: files that the attack may come from, beside installed packages.
        measurement_seed: what the client's metrics draw their samples with, told only to a simulated adversary.
        seed: what its own draws derive from when a client leaves them to it; None draws a secret one.
    """

    name: str
    device: str
    threads: int
    folder: Path
    downloads: Path
    attack: Mapping[str, Any] | None = None
    plugins: tuple[PluginFile, ...] = ()
    measurement_seed: int | None = None
    seed: int | None = None

    def own_seed(self) -> int:
        """The seed of this agent's own draws: as given, else drawn once and kept in its folder.

        Kept, so that an agent that is started again goes on as it would have.
        """
        if self.seed is not None:
            return self.seed
        path = self.folder / "seed"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_text(str(secrets.randbits(63)))
            path.chmod(0o600)
        return int(path.read_text())
