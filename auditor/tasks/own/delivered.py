"""Making a delivered model whole: what travelled, put into a model that has the rest already."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from auditor.base.user_file import UserFileError, open_user_file
from auditor.tasks.checkpoint import MODEL, OPTIMIZER, STEP
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import few


def load_delivered(model: nn.Module, path: Path) -> None:
    """Put what a checkpoint holds of a model into that model; parameters that never travelled stay as they are.

    Args:
        model: as the workload makes it.
        path: of the checkpoint.

    Raises:
        TrainingError: it cannot be read, or is of another model; says what differs.
    """
    state, parameters = model.state_dict(), {name for name, _ in model.named_parameters(remove_duplicate=False)}
    try:
        open_user_file(path).close()
        with safe_open(path, framework="pt") as file:
            held = [name for name in file.keys() if name != STEP and not name.startswith(OPTIMIZER)]  # noqa: SIM118
            found = {name.removeprefix(MODEL): file.get_tensor(name) for name in held}
    except UserFileError as error:
        raise TrainingError(f"{path} {error}.") from None
    except SafetensorError as error:
        raise TrainingError(f"{path} is not a safetensors file: {error}.") from None
    strange = [name for name in found if name not in state]
    others = [name for name in found if name in state and found[name].shape != state[name].shape]
    missing = [name for name in state if name not in found and name not in parameters]
    for what, names in (("has {}, which the model does not", strange), ("holds {} in other shapes", others)):
        if names:
            raise TrainingError(f"{path} is of another model: it {what.format(few(names))}.")
    if missing or not found:
        raise TrainingError(f"{path} is of another model: it has no {few(missing) or 'parameters'}.")
    with torch.no_grad():
        for name, tensor in found.items():
            state[name].copy_(tensor)
