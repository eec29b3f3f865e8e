"""What a study leaves in its folder for others to follow it: which settings it has, and where what is measured lies.

Reading it takes neither PyTorch nor the study's file, so that the interface can show a study that a terminal runs.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Annotated, Literal

from pydantic import AwareDatetime, Field, NonNegativeInt, PositiveInt, ValidationError

from auditor.base.atomic_file import write_file
from auditor.base.frozen import Frozen
from auditor.base.user_file import UserFileError, read_user_text
from auditor.experiments.evolving.survival import HORIZON, Survival, survival
from auditor.job.evolution import MAX_UPDATES

RECORD = "study.json"
LOCK = "lock"
LOCK_SECONDS = 1.0
MAX_BYTES = 1 << 24
MAX_FACTS_BYTES = 1 << 16

StudyState = Literal["running", "finished", "stopped"]

FolderName = Annotated[str, Field(pattern=r"^[\w-][\w.-]*$", max_length=200)]
"""Of a folder within another; never a path that leads out of it."""


class RecordedSetting(Frozen):
    """A setting of a study.

    Attributes:
        attack: what tells its attack apart from those of others.
        cell: what tells it apart beside the attack; empty where nothing does.
        poisoned: the updates in which the attack acts, in ascending order.
        chains: the folder of each instance.
    """

    attack: str
    cell: str
    poisoned: tuple[NonNegativeInt, ...]
    chains: tuple[FolderName, ...] = Field(min_length=1)

    @property
    def last(self) -> int:
        """The last poisoned update; the first training where none is."""
        return max(self.poisoned, default=0)


class StudyRecord(Frozen):
    """A study as it was started.

    Attributes:
        name: of the study.
        source: its file.
        started: when.
        updates: after the first training.
        gammas: the success that counts as alive, each.
        horizon: the updates after the poisoning that γ-survivability counts at most.
        settings: in the order of the results.
    """

    name: str
    source: str
    started: AwareDatetime
    updates: Annotated[int, Field(ge=1, le=MAX_UPDATES)]
    gammas: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(min_length=1)
    horizon: PositiveInt = HORIZON
    settings: tuple[RecordedSetting, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Measured:
    """What the model of an update can do, from 0 to 1; None where it means nothing."""

    accuracy: float | None
    success: float | None


@dataclass(frozen=True)
class SettingProgress:
    """What was measured of a setting so far.

    Attributes:
        setting: which.
        instances: of each instance, what its models can do, the first training first.
    """

    setting: RecordedSetting
    instances: tuple[tuple[Measured, ...], ...]

    @cached_property
    def accuracy(self) -> Mapping[int, float]:
        """The mean over the instances that were measured, by update."""
        return _means([[one.accuracy for one in instance] for instance in self.instances])

    @cached_property
    def success(self) -> Mapping[int, float]:
        """Likewise, of the attack."""
        return _means([[one.success for one in instance] for instance in self.instances])

    def survival(self, gamma: float, updates: int, horizon: int) -> Survival | None:
        """The γ-survivability of the instances that are finished; None while none is, or where nobody poisons.

        Args:
            gamma: the success that counts as alive.
            updates: that a finished instance has.
            horizon: the most that is counted.
        """
        done = [
            {update: one.success for update, one in enumerate(instance) if one.success is not None}
            for instance in self.instances
            if len(instance) > updates
        ]
        return survival(done, self.setting.last, gamma, horizon) if done and self.setting.poisoned else None


@dataclass(frozen=True)
class StudyProgress:
    """A study and what was measured so far.

    Attributes:
        record: as it was started.
        running: whether some process carries it out now.
        settings: in the order of the record.
    """

    record: StudyRecord
    running: bool
    settings: tuple[SettingProgress, ...]

    @property
    def done(self) -> int:
        """The models that were measured, each chain of updates counted once."""
        return sum(self._lengths.values())

    @property
    def total(self) -> int:
        """How many there will be."""
        return len(self._lengths) * (self.record.updates + 1)

    @property
    def state(self) -> StudyState:
        """Whether it goes on."""
        if self.running:
            return "running"
        return "finished" if self.done == self.total else "stopped"

    @cached_property
    def _lengths(self) -> Mapping[str, int]:
        """How far each chain is; settings that are alike share one."""
        return {
            chain: len(instance)
            for setting in self.settings
            for chain, instance in zip(setting.setting.chains, setting.instances, strict=True)
        }


class StudyFollower:
    """Reads how far a study is, again and again; what was read once is not read again.

    Args:
        folder: of all studies.
        name: of this one.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._own = folder / name
        self._text = ""
        self._record: StudyRecord | None = None
        self._chains: dict[str, list[Measured]] = {}

    def poll(self) -> StudyProgress:
        """How far it is now.

        Raises:
            LookupError: there is no such study, or its record cannot be read; says which.
        """
        record = self._read()
        for chain in {chain for setting in record.settings for chain in setting.chains}:
            known = self._chains.setdefault(chain, [])
            while len(known) <= record.updates:
                found = _measured(self._folder / "chains" / chain / f"{len(known)}.json")
                if found is None:
                    break
                known.append(found)
        settings = tuple(
            SettingProgress(setting, tuple(tuple(self._chains[chain]) for chain in setting.chains))
            for setting in record.settings
        )
        return StudyProgress(record, is_running(self._own), settings)

    def _read(self) -> StudyRecord:
        path = self._own / RECORD
        try:
            text = read_user_text(path, MAX_BYTES)
            if self._record is None or text != self._text:
                self._record, self._text = StudyRecord.model_validate_json(text), text
        except UserFileError as error:
            raise LookupError(f"{path} {error}") from None
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False)[0]
            raise LookupError(f"{path} is damaged: {wrong['msg']}") from None
        return self._record


def recorded_studies(folder: Path) -> list[str]:
    """The names of the studies that left a record in a folder."""
    try:
        return sorted(path.parent.name for path in folder.glob(f"*/{RECORD}"))
    except OSError:
        return []


@contextmanager
def recording(folder: Path, record: StudyRecord) -> Iterator[None]:
    """Leave a record of a study, and be known to carry it out.

    Args:
        folder: the study's own, which is there.
        record: what is left.

    Raises:
        OSError: it cannot be written.
    """
    write_file(folder / RECORD, record.model_dump_json().encode())
    with (folder / LOCK).open("wb") as file:
        _lock(file)
        yield


def is_running(folder: Path) -> bool:
    """Whether some process carries out the study of a folder now."""
    try:
        with (folder / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _lock(file: IO[bytes]) -> None:
    """Hold a file's lock as long as it is open, as far as that is possible.

    Who looks whether the study is carried out holds it for an instant. Where another process carries out the same
    study, or the file system knows no locks, this one goes on without.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return
            time.sleep(0.02)
        except OSError:
            return
        else:
            return


def _measured(path: Path) -> Measured | None:
    """What a study wrote of one model; None while it has not."""
    try:
        with path.open("rb") as file:
            facts = json.loads(file.read(MAX_FACTS_BYTES))
        return Measured(_share(facts["accuracy"]), _share(facts["success"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _share(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("this is no share")
    return float(value)


def _means(rows: Sequence[Sequence[float | None]]) -> dict[int, float]:
    found = {}
    for update in range(max(map(len, rows), default=0)):
        known = [row[update] for row in rows if update < len(row)]
        values = [value for value in known if value is not None]
        if values:
            found[update] = sum(values) / len(values)
    return found
