"""Two providers with the client's seeds: they agree within numerical noise, or one of them deviates."""

from __future__ import annotations

from auditor.audit.decisions.distances import Assumptions, DistanceMatrix, Judgement

MARGIN = 3.0
"""Distances up to so many times the noise floor count as agreement: the floor itself is an upper envelope."""


def disagree(matrix: DistanceMatrix) -> bool:
    """Whether a distance is larger than numerical noise can explain; True as well where nobody knows how much can."""
    distance, floor = float(matrix.values.max()), matrix.noise_floor
    return distance > 0 and (floor is None or distance > MARGIN * floor)


class AgreementDecision:
    """Says `agrees` (p = 1) or cannot tell (no p-value); it never flags, as there is no majority."""

    name = "agreement"

    def judge(self, matrices: list[DistanceMatrix], assumptions: Assumptions) -> list[Judgement]:
        """Judge both providers alike."""
        judgements = []
        for matrix in matrices:
            distance = float(matrix.values.max())
            floor = matrix.noise_floor
            if assumptions.randomness == "provider":
                p_value, note = (
                    None,
                    "with seeds of their own, two providers differ even when both are benign",
                )
            elif not disagree(matrix):
                p_value, note = 1.0, ""
            elif floor is None:
                p_value, note = None, f"nobody has measured how noisy {matrix.metric} is"
            else:
                p_value, note = (
                    None,
                    "the two disagree by more than numerical noise; a third would settle who deviates",
                )
            ratio = distance / floor if floor else None
            judgements += [
                Judgement(matrix.sub_run, matrix.metric, name, p_value, ratio, (other,), note)
                for name, other in (matrix.providers, matrix.providers[::-1])
            ]
        return judgements

    def smallest_p_value(self, participants: int, assumptions: Assumptions) -> float:
        """1: two providers can agree, but neither can be shown to deviate."""
        return 1.0
