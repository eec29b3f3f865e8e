"""The mapping that holds thousands of boundaries and sub-runs is a mapping, and never changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.audit.record.numbered import Numbered


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers())))
def test_it_is_what_a_dictionary_is_in_the_order_of_its_numbers(pairs: list[tuple[int, int]]) -> None:
    known: dict[int, int] = {}
    numbered: Numbered[int] = Numbered()
    for number, value in pairs:
        before, kept = numbered, dict(known)
        numbered, known[number] = numbered.having(number, value), value
        assert before == kept
    assert numbered == known
    assert list(numbered.items()) == sorted(known.items())
    assert list(numbered.values()) == [known[number] for number in sorted(known)]
    assert len(numbered) == len(known)
    assert numbered.last == max(known, default=-1)
    assert bool(numbered) == bool(known)


def test_a_number_that_is_not_there_is_named() -> None:
    numbered = Numbered[str]().having(3, "three")
    assert numbered.get(4) is None
    assert 3 in numbered
    for missing in (4, 4000):
        with pytest.raises(KeyError, match=f"^{missing}$"):
            numbered[missing]
