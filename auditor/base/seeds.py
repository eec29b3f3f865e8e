"""Two questions about randomness: do providers share their training seeds, and who draws what is random."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from auditor.base.randomness import key


class Seeds(StrEnum):
    """Whether providers train with the same seeds.

    With shared seeds, honest models differ by numerics alone. With own seeds, they differ as two trainings do, which is
    the source paper's setting (RTTD, arXiv 2504.00170).
    """

    SHARED = "shared"
    OWN = "own"


class Drawer(StrEnum):
    """Who draws what is random: the training seeds, and the initial state where training starts from fresh weights.

    With `COIN` all providers and the client toss for it (see `auditor.base.coin`).
    """

    CLIENT = "client"
    PROVIDER = "provider"
    COIN = "coin"


SHORT_FORMS: dict[str, tuple[Seeds, Drawer]] = {
    "client": (Seeds.SHARED, Drawer.CLIENT),
    "provider": (Seeds.OWN, Drawer.PROVIDER),
    "coin": (Seeds.SHARED, Drawer.COIN),
}
"""What the key `randomness` says in one word."""

SHORT_WORDS = "'client', 'provider' or 'coin'"
"""The short forms as a message lists them."""


def shared_training_seed(root: int) -> int:
    """The training seed that all providers share, from what is drawn once a job."""
    return key(root, "training", 0) % 2**63


def own_training_seed(root: int, provider: str) -> int:
    """The training seed of one provider where each has another, from what is drawn once a job."""
    return key(root, f"training {provider}", 0) % 2**63


def initial_seed(root: int) -> int:
    """The seed of the initial state, from what is drawn once a job."""
    return key(root, "initial weights", 0)


def seeds_of(word: Any) -> Any:
    """The seeds that a short form means; anything else as it is."""
    return SHORT_FORMS[word][0] if isinstance(word, str) and word in SHORT_FORMS else word
