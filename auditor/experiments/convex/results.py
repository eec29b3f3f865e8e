"""What the theory bounds and what was computed, as JSON can hold it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from auditor.experiments.convex.specification import TheoryStudy
from auditor.experiments.convex.study import TheoryFindings


def theory_rows(study: TheoryStudy, findings: TheoryFindings) -> Iterator[dict[str, Any]]:
    """Every poisoning, then every return to the benign minimiser, then stochastic gradient descent."""
    for poisoning in findings.poisonings:
        row = asdict(poisoning)
        row.pop("returns")
        yield {"kind": "poisoning", "study": study.name, **row}
    for poisoning in findings.poisonings:
        for back in poisoning.returns:
            row = asdict(back)
            row.pop("distances")
            about = {"convexity": poisoning.convexity, "ratio": poisoning.ratio}
            yield {"kind": "return", "study": study.name, **about, **row}
    for one in findings.stochastic:
        yield {"kind": "stochastic", "study": study.name, **asdict(one)}
