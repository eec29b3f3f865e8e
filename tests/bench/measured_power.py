r"""Writes what `auditor plan` knows of power: the settings with somebody malicious that benchmarks have judged.

    auditor bench docs/benchmarks/client.toml    # and so on
    python -m tests.bench.measured_power client quickstart sst2 directions_digits directions_resnet20 \\
        directions_embeddings directions_transformer

reads the results of these benchmarks under AUDITOR_HOME and writes `auditor/planning/measured_power.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from auditor.planning.measured_power import SHIPPED, MeasuredSetting
from auditor.store.home import home


def rows(name: str) -> Iterator[dict[str, Any]]:
    """The settings of a benchmark that tell what replicated sub-runs show, without what only a page needs."""
    for line in (home() / "bench" / name / "results.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["kind"] == "setting" and row["malicious"] and row["decision"] in ("auto", "ratio"):
            setting = MeasuredSetting.model_validate(row).model_dump(mode="json")
            yield {"kind": "setting", **setting, "attacks": {kind: row["attacks"][kind] for kind in row["attacks"]}}


def main(names: Sequence[str]) -> None:
    found = [row for name in names for row in rows(name)]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in found)
    SHIPPED.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(found)} settings written to {SHIPPED}")


if __name__ == "__main__":
    main(sys.argv[1:])
