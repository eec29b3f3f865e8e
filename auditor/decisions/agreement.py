"""Two providers with the same seeds: they agree within numerical noise, or one of them deviates."""

from __future__ import annotations

import math

from auditor.base.seeds import Seeds
from auditor.decisions.distances import Assumptions, DistanceMatrix, Judgement
from auditor.decisions.shared_seeds import SCALE, allowance, noise_share, why_unknown


def disagree(matrix: DistanceMatrix, assumptions: Assumptions) -> bool:
    """Whether some distance is larger than numerical noise explains; True as well where nobody knows how much can.

    The noise that is allowed for, and how distances beyond it are judged, is as among more providers.
    """
    distance, allowed = float(matrix.values.max()), allowance(matrix)
    if distance == 0:
        return False
    return not allowed or SCALE.p_value(math.log(distance / allowed)) <= assumptions.false_alarm_rate


class AgreementDecision:
    """Says `agrees` (p = 1) or cannot tell (no p-value); it never flags, as there is no majority."""

    name = "agreement"

    def judge(self, matrices: list[DistanceMatrix], assumptions: Assumptions) -> list[Judgement]:
        """Judge both providers alike."""
        judgements = []
        for matrix in matrices:
            p_value, note = _judged(matrix, assumptions)
            allowed = allowance(matrix)
            ratio = max(1.0, float(matrix.values.max()) / allowed) if allowed else None
            judgements += [
                Judgement(matrix.sub_run, matrix.metric, name, p_value, ratio, (other,), note, noise_share(matrix))
                for name, other in (matrix.providers, matrix.providers[::-1])
            ]
        return judgements

    def smallest_p_value(self, participants: int, assumptions: Assumptions) -> float:
        """1: two providers can agree, but neither can be shown to deviate."""
        return 1.0


def _judged(matrix: DistanceMatrix, assumptions: Assumptions) -> tuple[float | None, str]:
    """The p-value of both providers, or why there is none."""
    if assumptions.seeds is Seeds.OWN:
        return None, "two providers with different seeds differ even if both are benign"
    if not disagree(matrix, assumptions):
        return 1.0, ""
    if allowance(matrix) is None:
        return None, why_unknown(matrix)
    return None, "the two disagree by more than numerical noise; a third provider would settle which one deviates"
