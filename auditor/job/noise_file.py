"""A file with the numerical noise of a job, measured once by `auditor calibrate` and named by `audit.noise`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from auditor.base.user_file import UserFileError, read_user_file
from auditor.job.named_file import NamedFileError

MAX_BYTES = 1 << 22
"""No such file is larger; a larger one is something else, given by mistake."""

Distance = Annotated[float, Field(ge=0)]


class NoiseFileError(NamedFileError):
    """A path that does not lead to measured noise; the message says why, as the rest of a sentence."""


class MeasuredNoise(BaseModel):
    """The noise of one metric in a sub-run that starts at one step.

    Attributes:
        metric: the `key` of its `PluginUse`.
        start: the step that the sub-run starts at.
        floor: the largest distance of an honest execution from the usual one.
        size: how far apart models lie that have nothing in common; None if not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    metric: str
    start: Annotated[int, Field(ge=0)]
    floor: Distance
    size: Distance | None


class NoiseFile(BaseModel):
    """What was measured of a job's noise, as it was when it was read; it is part of the job, and of the run.

    Attributes:
        format: of the file.
        key: what it was measured for, see `noise_key`.
        dataset_digest: likewise.
        machine: on what, in words.
        noise: by metric and start.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: Literal[1]
    key: str
    dataset_digest: str
    machine: Annotated[str, Field(max_length=200)]
    noise: tuple[MeasuredNoise, ...]

    def at(self, metric: str, start: int) -> MeasuredNoise | None:
        """The noise of a metric in a sub-run: the larger of what was measured before and after its start.

        None where the metric was not measured. After the last start that was measured, that one counts.
        """
        known = sorted(
            (measured for measured in self.noise if measured.metric == metric), key=lambda measured: measured.start
        )
        before = [measured for measured in known if measured.start <= start][-1:]
        after = [measured for measured in known if measured.start >= start][:1]
        return max(before + after, key=lambda measured: measured.floor, default=None)


def noise_key(model: str, training: Mapping[str, Any], sub_run_steps: int) -> str:
    """What noise depends on, beside the data: the model, the training and k; as a digest."""
    content = json.dumps([model, dict(training), sub_run_steps], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def read_noise_file(path: Path) -> NoiseFile:
    """Read what `auditor calibrate` wrote.

    Raises:
        NoiseFileError: it cannot be read, or is something else.
    """
    try:
        return NoiseFile.model_validate_json(read_user_file(path, MAX_BYTES))
    except UserFileError as error:
        raise NoiseFileError(str(error)) from None
    except ValidationError:
        raise NoiseFileError("is not what `auditor calibrate` writes") from None
