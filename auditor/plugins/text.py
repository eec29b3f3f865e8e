"""What plugins know of a text task: how sentences become token ids, and which id means padding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch

PADDING = 0
"""The id that fills a sample after its last token, and that models look past wherever it stands.

Token n of a tokenizer has the id n + 1, so that no token of any tokenizer is taken for padding.
"""


class Tokenizer(Protocol):
    """How the sentences of a text task become token ids."""

    @property
    def unknown(self) -> int | None:
        """The id that stands for everything the tokenizer has no token for; None if it has a token for anything."""

    def encode(self, text: str) -> tuple[int, ...]:
        """The ids of a text of any length; without padding, and without tokens that mark its start or end."""

    def begins_word(self, ids: torch.Tensor) -> torch.Tensor:
        """For each id, bool of the same shape, whether a word can begin with it; padding begins none."""

    def rarest_words(self, count: int) -> tuple[str, ...]:
        """Words that are one token each, those first that the training text uses least."""
