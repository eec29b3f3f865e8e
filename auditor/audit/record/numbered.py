"""What is known of boundaries and sub-runs, by number: it does not change, and the next version costs little."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, ValuesView
from typing import Generic, TypeVar

V = TypeVar("V")

BLOCK = 7
"""A block has 2 to this power of numbers. Copying a block and the table of blocks then costs the same for the longest
training that there can be."""


class Numbered(Mapping[int, V], Generic[V]):
    """A mapping from numbers, iterated in their order.

    A state has thousands of sub-runs and changes with every event. A dictionary would be copied whole each time, so
    that the time for an audit would grow with the square of its length; here one block is.
    """

    __slots__ = ("_blocks", "_count", "last")

    def __init__(self, blocks: Mapping[int, Mapping[int, V]] | None = None, count: int = 0, last: int = -1) -> None:
        self._blocks = blocks or {}
        self._count = count
        self.last = last
        """The largest number; -1 where there is none."""

    def having(self, number: int, value: V) -> Numbered[V]:
        """The same with a value at a number, instead of the one that was there."""
        place = number >> BLOCK
        before = self._blocks.get(place, {})
        block = {**before, number: value}
        count = self._count + len(block) - len(before)
        return Numbered({**self._blocks, place: block}, count, max(self.last, number))

    def __getitem__(self, number: int) -> V:
        block = self._blocks.get(number >> BLOCK)
        if block is None:
            raise KeyError(number)
        return block[number]

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and number in self._blocks.get(number >> BLOCK, ())

    def __iter__(self) -> Iterator[int]:
        for place in sorted(self._blocks):
            yield from sorted(self._blocks[place])

    def __len__(self) -> int:
        return self._count

    def values(self) -> ValuesView[V]:
        """The values, in the order of their numbers."""
        return _Values(self)

    def in_order(self) -> Iterator[V]:
        """The same, as an iterator."""
        for place in sorted(self._blocks):
            block = self._blocks[place]
            for number in sorted(block):
                yield block[number]

    def __repr__(self) -> str:
        return f"Numbered({dict(self)})"


class _Values(ValuesView[V]):
    _mapping: Numbered[V]

    def __iter__(self) -> Iterator[V]:
        return self._mapping.in_order()
