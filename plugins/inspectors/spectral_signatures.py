"""Spectral signatures: the features of poisoned samples stand out along one direction."""

from __future__ import annotations

from typing import ClassVar

import torch

from auditor.plugins import Inspection, Inspector, MetricContext, Options, ReturnedModel, option

LEAST = 10
"""Samples of a class that are enough to look at it."""


class SpectralSignaturesOptions(Options):
    """What can be set for `spectral_signatures`."""

    share: float = option(0.05, "the share of each class's samples that may be poisoned", gt=0, lt=0.5)
    threshold: float = option(25.0, "a class whose outlying samples lie farther than this is suspicious", gt=0)


class SpectralSignatures(Inspector):
    """Looks for samples of the training set whose features stand out along the main direction of their class.

    Tran, Li and Madry, "Spectral signatures in backdoor attacks" (NeurIPS 2018). For each class, by the model's own
    answers, the features of training samples are centred, and each sample gets the square of its component along the
    first singular vector. Samples that a backdoor was taught with have large ones. The score is the mean of the largest
    `share` of them by the median of all, in the class where it is largest.

    What it needs is poisoned samples among those it looks at. The client's samples are clean: a provider poisons its
    own copy. Where nobody poisoned any, because the attack is in the coins or in a verifier, there is nothing to find
    at all. On clean samples four clean models of digits had scores of 12 to 16, and eight with backdoors of 12 to 22:
    so the threshold is above both.
    """

    name = "spectral_signatures"
    tasks = frozenset({"vision", "text"})
    Options = SpectralSignaturesOptions
    options: SpectralSignaturesOptions
    example: ClassVar = {}

    def begin(self, context: MetricContext) -> None:
        """Keep the samples."""
        super().begin(context)
        self._samples, self._classes = context.reference, context.classes

    def inspect(self, model: ReturnedModel) -> Inspection:
        """Look at every class.

        Raises:
            ValueError: the features are not finite, or no class has samples enough.
        """
        features = model.features(self._samples).double()
        if not bool(torch.isfinite(features).all()):
            raise ValueError("the model's features are not finite")
        answers = model.logits(self._samples).argmax(1)
        scores = {}
        for number in range(self._classes):
            own = features[answers == number]
            if len(own) >= LEAST:
                scores[number] = self._score(own)
        if not scores:
            raise ValueError(f"no class has {LEAST} of the {len(self._samples)} samples that are looked at")
        suspected = max(scores, key=lambda number: scores[number])
        return Inspection(
            score=scores[suspected],
            threshold=self.options.threshold,
            details={"suspected": suspected, "scores": {str(number): score for number, score in scores.items()}},
        )

    def _score(self, features: torch.Tensor) -> float:
        centred = features - features.mean(0)
        # The components along the first singular vector, from the products of the samples with one another.
        values, vectors = torch.linalg.eigh(centred @ centred.T)
        squares = (values[-1] * vectors[:, -1].square()).sort(descending=True).values
        most = max(1, round(self.options.share * len(squares)))
        return float(squares[:most].mean() / squares.median().clamp(min=1e-12))
