"""How an agent is set up."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor.job.plugin_file import PluginFile
from auditor.providers.agent.kept_files import kept
from auditor.providers.agent.limits import Limits


@dataclass(frozen=True)
class AgentSettings:
    """What an agent is started with.

    Attributes:
        name: what it calls itself.
        device: what it trains on, `cpu` or `cuda:N`.
        threads: CPU threads it may use.
        folder: where it keeps checkpoints and what it must remember.
        downloads: where it keeps datasets that torchvision downloads.
        downloading: whether it downloads them when a client asks.
        data: files and folders that tasks may use, by what `auditor.providers.file_names` calls them.
        allow_code: whether it executes any client's code.
        allowed_code: the code that it executes otherwise, as `auditor.job.task.Task.code` calls it.
        confiding: whether its clients may read errors as they are, with paths and what is in files; only those who
            started it may.
        token_digest: SHA-256 of the token that clients must give; None lets everybody in who can connect. The token
            itself is not kept in memory.
        limits: how much it takes on.
        attack: the adversary it simulates, as a table with a name and options.
        plugins: files that the attack, or a drift of the data, may come from, beside installed packages.
        measurement_seed: what the client's metrics draw their samples with; only a simulated adversary gets it.
        seed: what its own draws derive from when a client leaves them to it; None draws a secret one.
    """

    name: str
    device: str
    threads: int
    folder: Path
    downloads: Path
    downloading: bool = False
    data: Mapping[str, Path] = field(default_factory=dict)
    allow_code: bool = False
    allowed_code: frozenset[str] = frozenset()
    confiding: bool = False
    token_digest: bytes | None = None
    limits: Limits = field(default_factory=Limits)
    attack: Mapping[str, Any] | None = None
    plugins: tuple[PluginFile, ...] = ()
    measurement_seed: int | None = None
    seed: int | None = None

    def executes(self, code: str | None) -> bool:
        """Whether its owner lets it execute a client's code."""
        return code is None or self.allow_code or code in self.allowed_code

    def own_seed(self, word: str) -> int:
        """The seed of this agent's own draws for a client: as given, else from one that is drawn once and kept.

        Kept, so that an agent that is started again goes on as it would have. Another for each client: who asks one
        agent under two names gets two models.

        Args:
            word: what the client is known by.
        """
        if self.seed is not None:
            return self.seed
        own = kept(self.folder, "seed", lambda: str(secrets.randbits(63)))
        drawn = hashlib.sha256(f"{own} {word}".encode()).digest()
        return int.from_bytes(drawn[:8], "big") >> 1

    def own_secret(self) -> bytes:
        """What this agent's part in tosses derives from: 256 bits that are drawn once and kept, or as given."""
        text = f"{self.seed}" if self.seed is not None else kept(self.folder, "secret", lambda: secrets.token_hex(32))
        return hashlib.sha256(f"tosses of {text}".encode()).digest()
