"""The rules that turn distances into a p-value and a ratio per provider."""

from auditor.audit.decisions.choice import Choice, choose
from auditor.audit.decisions.distances import Assumptions, DistanceMatrix, Judgement

__all__ = ["Assumptions", "Choice", "DistanceMatrix", "Judgement", "choose"]
