"""Two questions about randomness: do providers share their training seeds, and who draws what is random."""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Seeds(StrEnum):
    """Whether providers train with the same seeds.

    With shared seeds, honest models differ by numerics alone. With own seeds, they differ as two trainings do, which is
    the source paper's setting (RTTD, arXiv 2504.00170).
    """

    SHARED = "shared"
    OWN = "own"


class Drawer(StrEnum):
    """Who draws the training seeds."""

    CLIENT = "client"
    PROVIDER = "provider"


SHORT_FORMS: dict[str, tuple[Seeds, Drawer]] = {
    "client": (Seeds.SHARED, Drawer.CLIENT),
    "provider": (Seeds.OWN, Drawer.PROVIDER),
}
"""What the key `randomness` says in one word."""


def seeds_of(word: Any) -> Any:
    """The seeds that a short form means; anything else as it is."""
    return SHORT_FORMS[word][0] if isinstance(word, str) and word in SHORT_FORMS else word
