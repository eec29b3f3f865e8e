"""Copies where each provider draws its own seeds: which models are not their provider's work, and who copied.

Who can have seen which bytes: what a replica returns goes to the client alone; what the primary committed to is handed
to replicas, as what a sub-run starts from. The checkpoint that one sub-run starts from is what the primary returned for
the sub-run before. So a provider that was handed it can return it there; such a copy is the provider's own deed, and
says nothing of the primary. Where neither of two was handed the other's model, two equal ones come from one seed or
from one hand: that is a finding about both, and flags neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auditor.tasks.checkpoint import CheckpointFile, Schema, digest_of_parts
from auditor.tasks.tensor_file import as_array

MOVED = 0.5
"""A provider that trained has changed more than this share of the parameters; single ones may round to the same."""


@dataclass(frozen=True)
class Pair:
    """Two equal models.

    Attributes:
        first: who committed first.
        second: who came later.
        parameters: whether only their parameters are equal.
    """

    first: str
    second: str
    parameters: bool


class Copies:
    """Compares checkpoints by what their parameters are, to the last bit.

    Args:
        parameters: the names of the parameters in a checkpoint.
    """

    def __init__(self, parameters: Sequence[str]) -> None:
        self._parameters = parameters
        self._digests: dict[Path, str] = {}

    def is_copy(self, start: Path, returned: Path, given: Path) -> bool:
        """Whether a returned model has the parameters of another one, which training from `start` does not explain.

        Where a tiny learning rate moves hardly any parameter, models are equal by themselves.
        """
        return self._same(returned, given) and self._moved(start, returned) > MOVED

    def idle(self, start: Path, returned: Mapping[str, Path]) -> list[str]:
        """Whose parameters are still those that the sub-run started from, while most providers moved most of theirs."""
        still = [name for name, path in returned.items() if self._same(path, start)]
        if not still:
            return []
        moved = sum(self._moved(start, path) > MOVED for name, path in returned.items() if name not in still)
        return still if 2 * moved > len(returned) else []

    def pairs(self, start: Path, returned: Mapping[str, Path]) -> list[Pair]:
        """Equal models. Each appears once, beside the first that is equal to it.

        Args:
            start: what the sub-run started from.
            returned: the models, in the order in which they were committed to.
        """
        found: list[Pair] = []
        kept: list[str] = []
        for name, path in returned.items():
            twin = next((earlier for earlier in kept if self.is_copy(start, path, returned[earlier])), None)
            if twin is None:
                kept.append(name)
            else:
                found.append(Pair(twin, name, parameters=path != returned[twin]))
        return found

    def _same(self, first: Path, second: Path) -> bool:
        return first == second or self._digest(first) == self._digest(second)

    def _digest(self, path: Path) -> str:
        """Blobs never change, so that each is read once."""
        if path not in self._digests:
            self._digests[path] = digest_of_parts(path, self._parameters)
        return self._digests[path]

    def _moved(self, start: Path, path: Path) -> float:
        """The share of single parameters that differ."""
        differing = count = 0
        schema = Schema.of_file(start)
        files = [CheckpointFile(one, schema).pieces(self._parameters) for one in (start, path)]
        for (_, before), (_, after) in zip(*files, strict=True):
            differing += int(np.count_nonzero(as_array(before) != as_array(after)))
            count += before.numel()
        return differing / max(1, count)
