"""A vocabulary that changes."""

from __future__ import annotations

import torch

from auditor.plugins import PADDING, Drift, DriftContext, generator


class Tokens(Drift):
    """Replaces the share `amount` of the vocabulary, 0 to 1, by other tokens of it.

    A language changes: words go out of use and others take their place; of what is left open in "On the Permanence of
    Backdoors in Evolving Models" (arXiv:2206.04677, §5, which changes images only). The tokens are drawn once and go
    in a fixed order, each for a fixed other one: what was replaced by a smaller amount is replaced by a larger one in
    the same way, in all parts of the data. The share is one of the vocabulary, whatever the tokens' frequency; padding
    and the labels stay.
    """

    name = "tokens"
    tasks = frozenset({"text"})

    def begin(self, context: DriftContext) -> None:
        """Draw in which order tokens go, and what takes their place."""
        super().begin(context)
        if context.vocabulary is None or context.vocabulary < 3:
            raise ValueError(f"a vocabulary of {context.vocabulary} token ids has no tokens to exchange")
        order = generator(context.seed, "tokens").permutation(context.vocabulary - 1) + PADDING + 1
        self._order = torch.from_numpy(order)

    def apply(
        self, samples: torch.Tensor, labels: torch.Tensor, amount: float, part: str
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The texts, in the vocabulary of the time."""
        if not 0 <= amount <= 1:
            raise ValueError(f"a share of {amount:g} of the vocabulary cannot change; use amounts from 0 to 1")
        count = round(amount * len(self._order))
        becomes = torch.arange(len(self._order) + 1)
        becomes[self._order[:count]] = self._order.roll(-1)[:count]
        return becomes.to(samples.device)[samples], labels.clone()
