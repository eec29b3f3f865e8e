"""A stage of long work: every order of one kind, by processes in parallel, telling how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from auditor.experiments.progress import Progress
from auditor.experiments.workers import Workers


def carry_out_stage(
    workers: Workers, stage: str, work: Callable[[Any], object], orders: Sequence[tuple[int, Any]], unit: str
) -> Iterator[Progress]:
    """Carry out every order; yields how far it is, nothing where there is nothing to do.

    Args:
        workers: the processes.
        stage: what is being done, for people.
        work: what carries an order out, in a worker.
        orders: each with its size.
        unit: what sizes count.

    Raises:
        Exception: whatever the work raised first.
    """
    total, done = sum(size for size, _ in orders), 0
    sizes = {id(order): size for size, order in orders}
    # The longest first, so that no process is left alone with one at the end.
    ordered = [order for _, order in sorted(orders, key=lambda sized: -sized[0])]
    if ordered:
        yield Progress(stage, 0, total, unit)
    for order, _ in workers.carry_out(work, ordered):
        done += sizes[id(order)]
        yield Progress(stage, done, total, unit)
