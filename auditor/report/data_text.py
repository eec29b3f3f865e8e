"""What was read of a job's data, in the words that every face shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.audit.record.events import DataRead, UpdateDataRead
from auditor.tasks.inventory import Inventory, counted
from auditor.tasks.survey import FirstLook


def data_sentence(inventory: Inventory | DataRead | UpdateDataRead) -> str:
    """The data in one sentence, such as `1,617 gray images of 8 × 8 pixels in 10 classes, 180 more are held out`."""
    if not inventory.training:  # of a kind whose data is not seen here
        return inventory.sample
    classes = inventory.class_count
    within = f" in {counted(classes, 'class', 'classes')}" if classes else ""
    are = "is" if inventory.held_out == 1 else "are"
    held_out = f", {inventory.held_out:,} more {are} held out" if inventory.held_out else ""
    return f"{inventory.training:,} {inventory.sample}{within}{held_out}"


def remark_sentences(inventory: Inventory | DataRead | UpdateDataRead) -> Iterator[str]:
    """What was left out, converted or is noteworthy, one sentence each."""
    for remark in inventory.remarks:
        prefix = "" if remark.kind == "note" else f"{remark.kind}: "
        yield f"{prefix}{remark.text}"


def data_summary(inventory: Inventory | DataRead | UpdateDataRead) -> str:
    """Both in one line."""
    return "; ".join([data_sentence(inventory), *remark_sentences(inventory)])


def data_facts(looks: Sequence[FirstLook]) -> dict[str, str]:
    """What first looks at the data of a job and of its updates showed: a label and a text for each."""
    facts = {}
    for update, look in enumerate(looks):
        if look.inventory is not None:
            facts["data" if update == 0 else f"update {update}"] = _named(look, data_summary(look.inventory))
        elif look.dataset is not None and look.problem is None:
            facts[f"update {update}"] = look.dataset
    return facts


def data_problems(looks: Sequence[FirstLook]) -> list[str]:
    """Why data cannot be used, a sentence each."""
    return [
        look.problem if update == 0 else f"update {update}: {look.problem}"
        for update, look in enumerate(looks)
        if look.problem is not None
    ]


def _named(look: FirstLook, words: str) -> str:
    return words if look.dataset is None else f"{look.dataset}: {words}"
