"""Starting a client's program: in a fresh folder with its files, told where to read, what to do and where to write."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from auditor.base.randomness import key
from auditor.job.command_task import CommandTask, filled
from auditor.tasks.client_files import lay_out
from auditor.tasks.command.execution import Execution, Limits, Progress
from auditor.tasks.numerics import WORKSPACE

SEEDS = 2**31
"""How many seeds a program may be given: every language and framework takes these."""

OTHER_KERNELS: Mapping[str, str] = {
    "ATEN_CPU_CAPABILITY": "default",
    "DNNL_MAX_CPU_ISA": "SSE41",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_CBWR": "COMPATIBLE",
    "OPENBLAS_CORETYPE": "NEHALEM",
    "NVIDIA_TF32_OVERRIDE": "0",
}
"""What the common libraries of kernels read: they then compute as on an older processor."""

Change = Callable[[tuple[str, ...]], Sequence[str]]
"""From a command, whose placeholders are filled, to the one that is executed."""


@dataclass(frozen=True)
class Place:
    """The folders of one execution, which are removed after it.

    Attributes:
        folder: for what is made on the way.
        work: where the program is started, with its files.
        given: the file that it starts from.
        written: the file that it writes.
    """

    folder: Path
    work: Path
    given: Path
    written: Path


class Commands:
    """Executes the commands of a task on a device.

    Args:
        task: with the paths of its files.
        device: what the program is told to compute on.
    """

    def __init__(self, task: CommandTask, device: torch.device) -> None:
        self.device = device
        self._task = task
        self._limits = Limits(task.seconds, round(task.gigabytes * 1e9))

    @contextmanager
    def place(self) -> Iterator[Place]:
        """A fresh folder with the program's files.

        Raises:
            TrainingError: a file is not there.
        """
        with tempfile.TemporaryDirectory(prefix="auditor-command-", ignore_cleanup_errors=True) as name:
            folder = Path(name).resolve()
            place = Place(folder, folder / "work", folder / "given.safetensors", folder / "out" / "written.safetensors")
            for made in (place.work, place.written.parent):
                made.mkdir()
            lay_out(self._task.own_files.values(), place.work)
            yield place

    def execute(
        self,
        command: Sequence[str],
        place: Place,
        values: Mapping[str, object],
        what: str,
        *,
        seed: int,
        usual: bool = True,
        change: Change | None = None,
    ) -> Iterator[Progress | None]:
        """Execute a command; see `Execution.run`.

        Args:
            command: with placeholders.
            place: where.
            values: of placeholders, beside those that follow from the place and the device.
            what: it does, for messages.
            seed: what that of the program follows from.
            usual: whether threads and kernels are the usual ones.
            change: makes another command of it, as an adversary does.

        Raises:
            TrainingError: it fails, or takes more than it may; says what.
        """
        threads = torch.get_num_threads()
        if not usual:
            threads = 1 if threads > 1 else 2
        known = {
            "checkpoint_in": place.given,
            "checkpoint_out": place.written,
            "device": self.device,
            "threads": threads,
            "python": sys.executable,
            "seed": key(seed, "program", 0) % SEEDS,
        }
        words = filled(command, {**known, **values})
        environment = {
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
            "OPENBLAS_NUM_THREADS": str(threads),
            "PYTHONHASHSEED": "0",
            "PYTHONUNBUFFERED": "1",
            "CUBLAS_WORKSPACE_CONFIG": WORKSPACE,
            **({} if usual else OTHER_KERNELS),
        }
        words = words if change is None else list(change(tuple(words)))
        watched = (place.work, place.written.parent)
        yield from Execution(words, place.work, watched, environment, self._limits, what).run()
