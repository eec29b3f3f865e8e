"""The reference-clique ratio, judged by the spread among the reference providers.

The reference clique is the group of providers, as many as benign ones can be counted on, whose mutual distances are
smallest; without the judged provider, where it belongs to it. The ratio is the median distance of the judged provider
to them over the median distance among them. A benign provider is one more draw of the same kind, so that its ratio is
near 1. How near depends on who draws the seeds (`own_seeds`, `shared_seeds`).
"""

from __future__ import annotations

from auditor.base.seeds import Seeds
from auditor.decisions.agreement import AgreementDecision
from auditor.decisions.distances import Assumptions, DistanceMatrix, Judgement
from auditor.decisions.own_seeds import Seen, judge_own_seeds
from auditor.decisions.shared_seeds import judge_shared_seeds


class RatioDecision:
    """See the module."""

    name = "ratio"

    def judge(self, matrices: list[DistanceMatrix], assumptions: Assumptions) -> list[Judgement]:
        """Judge every provider in every matrix, in the light of the matrices of the same metric before it."""
        judgements: list[Judgement] = []
        seen: dict[str, Seen] = {}
        for matrix in matrices:
            if len(matrix.providers) < 3:  # the others failed, or there never were more
                judgements += AgreementDecision().judge([matrix], assumptions)
            elif assumptions.seeds is Seeds.SHARED:
                judgements += judge_shared_seeds(matrix, assumptions)
            else:
                known = seen[matrix.metric] = seen.get(matrix.metric, Seen()).and_in(matrix, assumptions)
                judgements += judge_own_seeds(matrix, assumptions, known)
        return judgements

    def smallest_p_value(self, participants: int, assumptions: Assumptions) -> float:
        """0 with three participants or more: a ratio can be as large as one likes. Without a clique, 1."""
        return 0.0 if participants >= 3 else 1.0
