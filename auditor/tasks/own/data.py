"""Reading the data of a workload into memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from auditor.tasks.data.dataset import check_memory
from auditor.tasks.errors import TrainingError


def tensors_of(data: Any, part: str) -> tuple[Tensor, Tensor]:
    """All inputs [N, …] and labels [N, …] of a part of a workload's data.

    Args:
        data: a pair of tensors, or a dataset of PyTorch's.
        part: how messages call it.

    Raises:
        TrainingError: it is neither, it does not fit into memory, or its items differ; says what to do.
    """
    if isinstance(data, torch.utils.data.TensorDataset):
        data = data.tensors
    if isinstance(data, tuple | list) and len(data) == 2 and all(isinstance(item, Tensor) for item in data):
        inputs, labels = data
        if not len(inputs) == len(labels) > 0:
            raise TrainingError(
                f"{part}: has {len(inputs):,} inputs and {len(labels):,} labels; give one label an input."
            )
        return inputs.detach().cpu().contiguous(), labels.detach().cpu().contiguous()
    if isinstance(data, torch.utils.data.DataLoader):
        raise TrainingError(f"{part}: is a DataLoader; give its dataset. Batches and their order are the job's.")
    if not (hasattr(data, "__len__") and hasattr(data, "__getitem__")) or isinstance(data, str | bytes | dict):
        raise TrainingError(
            f"{part}: is a {type(data).__name__}; give a pair of tensors, or a dataset that knows its length and gives "
            "pairs of an input and a label."
        )
    return _read(data, part)


def _read(items: Any, part: str) -> tuple[Tensor, Tensor]:
    count = len(items)
    if not count:
        raise TrainingError(f"{part}: is empty.")
    first, again = _pair(items[0], part), _pair(items[0], part)
    if not all(torch.equal(one, other) for one, other in zip(first, again, strict=True)):
        raise TrainingError(
            f"{part}: its first item is another each time it is asked for. Take what draws at random out of the "
            "dataset, and give it to the workload as augment."
        )
    check_memory(count * sum(tensor.numel() * tensor.element_size() for tensor in first), part)
    inputs = torch.empty((count, *first[0].shape), dtype=first[0].dtype)
    labels = torch.empty((count, *first[1].shape), dtype=first[1].dtype)
    for index in range(count):
        pair = _pair(items[index], part)
        for name, tensor, wanted in zip(("input", "label"), pair, first, strict=True):
            if (tensor.shape, tensor.dtype) != (wanted.shape, wanted.dtype):
                raise TrainingError(
                    f"{part}: the {name} of item {index} is {_form(tensor)}, and that of item 0 is {_form(wanted)}; "
                    "make all items alike."
                )
        inputs[index], labels[index] = pair
    return inputs, labels


def _pair(item: Any, part: str) -> tuple[Tensor, Tensor]:
    if not (isinstance(item, Sequence) and len(item) == 2):
        raise TrainingError(f"{part}: an item is a {type(item).__name__}; give pairs of an input and a label.")
    return _tensor(item[0], part), _tensor(item[1], part)


def _tensor(value: Any, part: str) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, bool | int | float | np.ndarray | np.generic):
        return torch.as_tensor(value)
    if hasattr(value, "getbands"):  # a picture of Pillow's, as torchvision's datasets give them
        pixels = torch.from_numpy(np.array(value))
        return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1).contiguous()
    raise TrainingError(f"{part}: an item holds a {type(value).__name__}; give tensors and numbers.")


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
