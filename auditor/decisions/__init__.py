"""The rules that turn distances between returned models into a p-value and a ratio for each provider.

What belongs here: statistics. A rule, the evidence that it gives, and how evidence adds up. numpy suffices to import
it. What knows of jobs, events or screens belongs elsewhere. It imports `base`; `planning` and what stands higher
import it.
"""

from auditor.decisions.distances import Assumptions, DistanceMatrix, Judgement

__all__ = ["Assumptions", "DistanceMatrix", "Judgement"]
