"""Starting from weights that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from auditor.base.user_file import UserFileError, open_user_file
from auditor.job.errors import nearest, readable
from auditor.tasks.checkpoint import MODEL, all_finite
from auditor.tasks.errors import TrainingError
from auditor.tasks.frozen_base import equal
from auditor.tasks.inventory import few
from auditor.tasks.learner import Learner

MATCHED = 200
"""Missing names that the nearest ones are looked for; more would take long, and nobody reads them."""


def initial_state(path: Path, learner: Learner, source: str = "training.initial: ") -> dict[str, Tensor]:
    """A checkpoint of step 0 with the parameters and buffers of a file; optimizer state is fresh.

    The file is a checkpoint of auditor, or has a model's parameters and buffers by their own names. It may leave out
    the frozen base, or hold it as every provider has it.

    Args:
        path: a safetensors file.
        learner: of the job, in its initial state.
        source: who names the file; what messages begin with.

    Raises:
        TrainingError: it cannot be read, or is of another model; says what differs.
    """
    fresh, named = learner.checkpoint(), f"{source}{path}"
    try:
        open_user_file(path).close()
        with safe_open(path, framework="pt") as file:
            names = learner.checkpoint_names(list(file.keys()))
            wanted = [name for name in fresh if name.startswith(MODEL)]
            missing = [_own(name) for name in wanted if name not in names]
            base = {name: tensor for name, tensor in learner.base.items() if name in names}
            known = fresh.keys() | base.keys()
            strange = [_own(name) for name in names if name.startswith(MODEL) and name not in known]
            if missing:
                raise _unfit(named, f"has no {few(_with_nearest(missing, strange))}")
            if strange:
                raise _unfit(named, f"has {few(strange)}, which the job's model does not")
            for name, tensor in base.items():
                if not equal(file.get_tensor(names[name]), tensor):
                    raise TrainingError(readable(f"{named} {_frozen_otherwise(_own(name))}"))
            found = {name: file.get_tensor(names[name]) for name in wanted}
    except UserFileError as error:
        raise TrainingError(readable(f"{named} {error}.")) from None
    except SafetensorError as error:
        raise TrainingError(readable(f"{named} is not a safetensors file: {error}.")) from None
    for name, tensor in found.items():
        if (tensor.shape, tensor.dtype) != (fresh[name].shape, fresh[name].dtype):
            raise _unfit(named, f"holds {name.removeprefix(MODEL)} as {_form(tensor)}, not as {_form(fresh[name])}")
    if not all_finite(found):
        raise TrainingError(readable(f"{named} holds numbers that are not finite."))
    return fresh | found


def _own(name: str) -> str:
    return name.removeprefix(MODEL)


def _with_nearest(missing: Sequence[str], strange: Sequence[str]) -> list[str]:
    """Names that are missing, each with the one that is most like it among those that are left over.

    Those that have one come first.
    """
    pairs = [(name, nearest(name, strange)) for name in missing[:MATCHED]]
    pairs.sort(key=lambda pair: pair[1] is None)
    named = [name if near is None else f"{name} (nearest is {near})" for name, near in pairs]
    return [*named, *missing[MATCHED:]]


def _frozen_otherwise(name: str) -> str:
    return (
        f"holds another {name} than the job's model, which does not train it, so that it never travels. Have the "
        "workload make its model from this file, or leave in the file what is trained alone."
    )


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


def _unfit(named: str, what: str) -> TrainingError:
    return TrainingError(readable(f"{named} is of another model: it {what}."))
