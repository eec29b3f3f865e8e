"""How far one class stands out from the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CONSISTENCY = 1.4826
"""Times the median absolute deviation is the standard deviation, of normally distributed values."""
THRESHOLD = 2.0
"""Of the anomaly index; of normally distributed values, 2.3 % are so far below the median."""
SMALLEST_SPREAD = 1e-3
"""As a share of the median: values that agree to the last digits would make any index infinite."""


def anomaly_indices(values: Sequence[float]) -> list[float]:
    """How far each value is from their median, in robust standard deviations; the median is that of numpy."""
    found = np.asarray(values)
    median = float(np.median(found))
    distances = np.abs(found - median)
    spread = max(CONSISTENCY * float(np.median(distances)), SMALLEST_SPREAD * abs(median), 1e-12)
    return [float(one) for one in distances / spread]
