"""What was read of a job's data, in the words that every face shows."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.audit.record.events import DataRead
from auditor.tasks.inventory import Inventory, counted


def data_sentence(inventory: Inventory | DataRead) -> str:
    """The data in one sentence, such as `1,617 gray images of 8 × 8 pixels in 10 classes, 180 more are held out`."""
    classes = inventory.class_count
    within = f" in {counted(classes, 'class', 'classes')}" if classes else ""
    are = "is" if inventory.held_out == 1 else "are"
    held_out = f", {inventory.held_out:,} more {are} held out" if inventory.held_out else ""
    return f"{inventory.training:,} {inventory.sample}{within}{held_out}"


def remark_sentences(inventory: Inventory | DataRead) -> Iterator[str]:
    """What was left out, converted or is noteworthy, one sentence each."""
    for remark in inventory.remarks:
        prefix = "" if remark.kind == "note" else f"{remark.kind}: "
        yield f"{prefix}{remark.text}"


def data_summary(inventory: Inventory | DataRead) -> str:
    """Both in one line."""
    return "; ".join([data_sentence(inventory), *remark_sentences(inventory)])
