"""Two classes of a dataset of more."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from auditor.job.random_features import Class
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import Remark, counted, few


def two_of(dataset: Dataset, chosen: tuple[Class, Class]) -> Dataset:
    """The samples of two classes alone: the first is class 0 afterwards, the second class 1.

    Raises:
        TrainingError: one is not there, or has no samples.
    """
    numbers = [_number(dataset, each, "task.classes") for each in chosen]
    kept, aside = (_is_any(labels, numbers) for labels in (dataset.labels, dataset.held_out_labels))
    left_out = int((~kept).sum() + (~aside).sum())
    remark = Remark("left out", f"{counted(left_out, 'sample')} of other classes than the two that are told apart")
    return _relabelled(
        replace(
            dataset.restricted(kept.nonzero().flatten()),
            held_out_samples=dataset.held_out_samples[aside],
            held_out_labels=dataset.held_out_labels[aside],
        ),
        numbers[1],
        tuple(dataset.class_names[number] for number in numbers),
        remark,
    )


def one_against_rest(dataset: Dataset, chosen: Class) -> Dataset:
    """All samples: those of one class are class 1 afterwards, all others class 0.

    Raises:
        TrainingError: the class is not there, or has no samples.
    """
    number = _number(dataset, chosen, "task.one_against_rest")
    name = dataset.class_names[number]
    remark = Remark("converted", f"{dataset.classes - 1} classes became one, all but {name}")
    return _relabelled(dataset, number, (f"not {name}", name), remark)


def _relabelled(dataset: Dataset, positive: int, names: tuple[str, ...], remark: Remark) -> Dataset:
    labels, held_out = ((part == positive).to(torch.int64) for part in (dataset.labels, dataset.held_out_labels))
    for part, words in ((labels, "training"), (held_out, "held-out")):
        if len(part) == 0 or int(part.min()) == int(part.max()):
            empty = names[1 - int(part[0])] if len(part) else " and ".join(names)
            raise TrainingError(f"the class {empty} has no {words} samples; choose another, or give more data.")
    return replace(
        dataset,
        labels=labels,
        held_out_labels=held_out,
        classes=2,
        class_names=names,
        remarks=(*dataset.remarks, remark),
    )


def _number(dataset: Dataset, chosen: Class, key: str) -> int:
    if isinstance(chosen, int) and chosen < dataset.classes:
        return chosen
    if isinstance(chosen, str) and chosen in dataset.class_names:
        return dataset.class_names.index(chosen)
    known = few([f"{number} ({name})" for number, name in enumerate(dataset.class_names)], 10)
    raise TrainingError(f"{key}: there is no class {chosen!r}; the data has {known}.")


def _is_any(labels: Tensor, numbers: list[int]) -> Tensor:
    return torch.isin(labels, torch.tensor(numbers))
