"""What the form for a job asks of each kind of task, and the table [task] that comes of it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from auditor.job.network_task import network_kinds

STATE = "{checkpoint_in} {checkpoint_out} {start_step} {steps} {seed}"


@dataclass(frozen=True)
class FormKind:
    """The two fields that say what is trained.

    Attributes:
        keys: of the job file.
        labels: of the fields.
        values: what they hold at first.
        metrics: likewise, of the field for metrics.
        batches: whether the job says how large a batch is.
    """

    keys: tuple[str, str]
    labels: tuple[str, str]
    values: tuple[str, str]
    metrics: str = "update, zest"
    batches: bool = True


def form_kinds() -> Mapping[str, FormKind]:
    """The kinds that the form offers, by name."""
    networks = {
        kind: FormKind(("dataset", "model"), ("Dataset", "Model"), (known.datasets[0], known.models[0]))
        for kind, known in network_kinds().items()
    }
    return networks | {
        "python": FormKind(
            ("module", "factory"), ("Python file", "Function in it"), ("train.py", "workload"), "update"
        ),
        "command": FormKind(
            ("command", "begin"),
            ("Command", "Command for the start"),
            (f"{{python}} train.py {STATE}", "{python} train.py --begin {checkpoint_out} {seed}"),
            "update",
            batches=False,
        ),
    }


def task_lines(kind: str, first: str, second: str) -> list[str]:
    """The table [task] with what the two fields hold; wrong values are kept, so that errors can name them."""
    keys = form_kinds()[kind].keys
    lines = ["[task]", f"kind = {_string(kind)}"]
    if kind != "command":
        return [*lines, f"{keys[0]} = {_string(first)}", f"{keys[1]} = {_string(second)}"]
    commands = [_words(first), _words(second)]
    lines += [f"{key} = {_list(words)}" for key, words in zip(keys, commands, strict=True) if words]
    needs = sorted({word for words in commands for word in words if _is_file(word)})
    return [*lines, f"needs = {_list(needs)}"]


def _words(command: str) -> list[str]:
    """The words of a command, as a shell has them."""
    try:
        return shlex.split(command)
    except ValueError:  # a quotation mark is not closed yet
        return command.split()


def _is_file(word: str) -> bool:
    """Whether a word looks like a file beside the job file, which providers must be sent."""
    name = word.removeprefix("./")
    return (
        "{" not in word
        and not name.startswith(("/", "-", "."))
        and (word.startswith("./") or re.fullmatch(r"[\w./-]*\w\.[A-Za-z]\w{0,4}", name) is not None)
    )


def _list(words: list[str]) -> str:
    return f"[{', '.join(map(_string, words))}]"


def _string(text: str) -> str:
    """A TOML string; JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)
