"""How providers come to be there: the contract between whatever starts them and everything that talks to them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from auditor.job.endpoint import Address, Endpoint
from auditor.job.plugin_file import PluginFile


@dataclass(frozen=True)
class Launch:
    """A provider that is wanted.

    Attributes:
        name: the provider's.
        endpoint: where the job says that it is.
        folder: where one that we start keeps its checkpoints, and its log as `log.txt`.
        seed: what its draws derive from.
        attack: what it simulates, if anything.
        measurement_seed: of the client's metrics, for a simulated adversary that is assumed to know it.
        plugins: files that the attack, or a drift of the data, may come from, beside installed packages.
        data: files of the task, by what `auditor.providers.file_names` calls them.
        hidden: a folder that is kept out of its reach, but for its own, where the system can do that.
    """

    name: str
    endpoint: Endpoint
    folder: Path
    seed: int = 0
    attack: Mapping[str, Any] | None = None
    measurement_seed: int | None = None
    plugins: tuple[PluginFile, ...] = ()
    data: Mapping[str, Path] = field(default_factory=dict)
    hidden: Path | None = None


class Launcher(ABC):
    """Starts providers of one kind, and ends what it started.

    Args:
        launches: whom to start.
        downloads: the folder for datasets.
    """

    patience: ClassVar[float] = 0.0
    """How long a provider may take until it answers, in seconds."""

    def __init__(self, launches: Sequence[Launch], downloads: Path) -> None:
        self.launches = {launch.name: launch for launch in launches}
        self.downloads = downloads

    @abstractmethod
    async def start(self) -> None:
        """Start them all. A provider that does not come up shows when it is greeted.

        Raises:
            Unreachable: none of them can be started.
        """

    @abstractmethod
    async def end(self) -> None:
        """End every process that was started, also after `start` failed."""

    @abstractmethod
    def address(self, name: str) -> Address:
        """Where a provider listens, once it is started.

        Raises:
            Unreachable: nobody can know.
        """

    def why_ended(self, name: str) -> str | None:
        """How a provider's process ended, in words; None while it lives, or where nobody knows."""
        return None
