"""How differently two providers changed the weights, as a share of how much they changed them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from auditor.plugins import Comparison, ReturnedModel

from .file_metric import FileMetric
from .weights import from_the_start


class UpdateDistance(FileMetric):
    """‖Wᵢ − Wⱼ‖ ÷ mean(‖Wᵢ − W₀‖, ‖Wⱼ − W₀‖) over all parameters.

    0 is the same update and √2 two unrelated ones of one length. Parameters are read from the files piece by
    piece, each file once for all pairs, so memory grows neither with the models' size nor with their number.
    """

    name = "update"
    spread = 0.25

    def compare(self, representations: Sequence[ReturnedModel]) -> Comparison:
        """All pairs in one pass over the files."""
        total = sum(squares for _, squares in from_the_start(representations))
        apart = np.sqrt(total)
        norms = apart[0, 1:]
        scale = (norms[:, None] + norms) / 2
        return Comparison((apart[1:, 1:] / np.where(scale > 0, scale, 1.0)).tolist())
