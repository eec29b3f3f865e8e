"""Are the quickstart's verdicts right, over seeds and under both kinds of seeds?

python -m tests.bench.verdicts [--seeds 10]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

JOBS = {"quickstart": {"aurora"}, "quickstart_clean": set[str]()}
SAMPLES = Path(__file__).parents[2] / "sample_jobs"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    count = parser.parse_args().seeds
    print(f"{'job':18}{'seeds':12}{'seed':>5}{'exit':>6}{'seconds':>9}  {'flagged':20}smallest p of the rest")
    right = 0
    for job, malicious in JOBS.items():
        for seeds in ("shared", "own"):
            for seed in range(count):
                with tempfile.TemporaryDirectory() as home:
                    command = [sys.executable, "-m", "auditor", "run", str(SAMPLES / f"{job}.toml"), "--json"]
                    done = subprocess.run(
                        [*command, "--seed", str(seed), "--seeds", seeds],
                        env=os.environ | {"AUDITOR_HOME": home},
                        capture_output=True,
                        text=True,
                        check=False,
                    )
                verdict = json.loads(done.stdout.splitlines()[-1])
                flagged = {one["name"] for one in verdict["providers"] if one["verdict"] == "flagged"}
                rest = [one["p_value"] for one in verdict["providers"] if one["name"] not in malicious]
                right += flagged == malicious and done.returncode == (10 if malicious else 0)
                print(
                    f"{job:18}{seeds:12}{seed:5}{done.returncode:6}{verdict['cost']['seconds']:9.1f}  "
                    f"{', '.join(sorted(flagged)) or '–':20}{min(rest):.3f}",
                    flush=True,
                )
    print(f"right: {right} of {4 * count}")


if __name__ == "__main__":
    main()
