"""What a study found, as JSON can hold it; every figure names what it was computed from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from auditor.experiments.evolving.findings import Finding
from auditor.experiments.evolving.specification import Study


def rows(study: Study, findings: Sequence[Finding]) -> Iterator[dict[str, Any]]:
    """The γ-survivability of every setting, then what every model of every instance can do."""
    for finding in findings:
        for survival in finding.survivals:
            low, high = survival.interval()
            yield {
                "kind": "survivability",
                "study": study.name,
                **_quantities(finding),
                "gamma": survival.gamma,
                "mean": survival.mean,
                "low": low,
                "high": high,
                "instances": list(survival.counts),
                "implanted": survival.implanted,
                "censored": survival.censored,
                "horizon": survival.horizon,
            }
    for finding in findings:
        for instance, chain in enumerate(finding.chains):
            for update, accuracy in enumerate(chain.accuracy):
                yield {
                    "kind": "update",
                    "study": study.name,
                    **_quantities(finding),
                    "instance": instance,
                    "update": update,
                    "accuracy": accuracy,
                    "success": chain.success[update],
                    "unchanged": chain.unchanged[update],
                    "start": chain.start,
                    "folder": chain.folder,
                }


def _quantities(finding: Finding) -> Mapping[str, Any]:
    return {name.replace(" ", "_"): value for name, value in finding.setting.quantities().items()}
