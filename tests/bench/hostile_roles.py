"""What becomes of an audit in which one provider is hostile: each role by itself, among three honest providers.

    python -m tests.bench.hostile_roles [--only WORDS]

It prints a table in Markdown: what the provider does, what is said of it, its verdict, the seconds that the audit took,
and the most memory of the auditor (all that is resident; a process that has imported PyTorch has about 450 MB before it
does anything). Exits with 1 where an honest provider is flagged, or an audit does not end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import auditor.audit.engine
import auditor.cli.app
import auditor.providers.agent.http_server  # noqa: F401
from tests.command import job_text
from tests.faults.processes import Forked, answers, command, forked, until
from tests.hostile_agents import serve
from tests.pretender import serving

HONEST = ("a", "b", "c")
STALL_SECONDS = 10
PRETENDERS = {
    "headers without end": "status.endless_headers",
    "one header without end": "status.long_header",
    "an answer without end": "status.endless_chunks",
    "a checkpoint without end": "blob.endless_chunks",
    "overlapping tensors": "checkpoint.overlaps",
    "negative offsets": "checkpoint.negative_offsets",
    "a header of a gigabyte in a checkpoint": "checkpoint.gigabyte_header",
    "a million tensors": "checkpoint.many_tensors",
    "deep JSON": "status.deep_lists",
    "an answer byte by byte": "status.drips",
    "a checkpoint byte by byte": "blob.drips",
    "news without progress": "status.hurries_nowhere",
    "too long for its content-length": "status.two_lengths",
    "a content-length of 10^30": "blob.huge_length",
    "a redirect to another host": "status.redirects",
    "a compression bomb": "status.bombs",
    "another checkpoint than committed to": "blob.other",
    "different answers to one question": "blob.other_once",
    "finished too early": "status.finished_without",
    "steps that run backwards": "status.backwards",
    "escapes in its name": "identity.evil_words",
    "escapes in what it says": "status.fails_evilly",
    "a path for a digest": "status.path_for_digest",
}
"""By what is done, as tricks of `tests.pretender`."""
AGENTS = {
    "signatures that are none": "forges",
    "no signatures any more": "unsigned",
    "not a number everywhere": "nan",
    "work not done": "idles",
    "the step miscounted": "miscounts",
    "death in the middle of a checkpoint": "dies_midway",
}
"""The same, as tricks of `tests.hostile_agents`."""


def main() -> int:
    """Run the audits one after another and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.hostile_roles")
    parser.add_argument("--only", default="", help="roles with these words in them")
    only = parser.parse_args().only
    pretenders = {role: trick for role, trick in PRETENDERS.items() if only in role}
    agents = {role: trick for role, trick in AGENTS.items() if only in role}
    folder = Path(tempfile.mkdtemp(prefix="roles-"))
    running = [_honest(folder, name) for name in HONEST]
    running += [_hostile(folder, trick) for trick in agents.values()]
    print("| role | verdict | what is said of it | seconds | peak memory of the auditor |")
    print("|---|---|---|---|---|", flush=True)
    failed = False
    try:
        with serving(list(pretenders.values()), folder) as endpoints:
            reached = {role: endpoints[trick] for role, trick in pretenders.items()}
            reached |= {role: f"unix:{folder}/{trick}.sock" for role, trick in agents.items()}
            for number, (role, endpoint) in enumerate(reached.items()):
                failed |= _audit(folder, number, role, endpoint)
    finally:
        for process in running:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)
    return int(failed)


def _honest(folder: Path, name: str) -> Forked:
    path = folder / f"{name}.s"
    arguments = ["agent", "--socket", str(path), "--folder", str(folder / f"state-{name}"), "--threads", "1"]
    started = forked(command(arguments), folder, name, {"AUDITOR_HOME": str(folder / "agents")})
    until(lambda: answers(path), f"{name} to listen")
    return started


def _hostile(folder: Path, trick: str) -> Forked:
    run: Callable[[], None] = lambda: serve(folder, [trick])  # noqa: E731
    started = forked(run, folder, trick, {})
    until(lambda: answers(folder / f"{trick}.sock"), f"{trick} to listen")
    return started


def _audit(folder: Path, number: int, role: str, endpoint: str) -> bool:
    """One audit, and its row; whether it did not go as it should."""
    from auditor.store import Store

    (own := folder / f"audit-{number}").mkdir()
    endpoints = {name: f"unix:{folder}/{name}.s" for name in HONEST} | {"x": endpoint}
    audit = f'fixed_selection = [0]\nstall_seconds = {STALL_SECONDS}\nrandomness = "provider"'
    (own / "job.toml").write_text(job_text([*HONEST, "x"], endpoints=endpoints, steps=10, audit=audit))
    begun = time.monotonic()
    process = forked(command(["run", "job.toml", "--json"]), own, "auditor", {"AUDITOR_HOME": str(own / "home")})
    most = 0

    def ended() -> bool:
        nonlocal most
        most = max(most, _peak(process.pid))
        return process.ended()

    until(ended, f"the audit with {role} to end")
    seconds = time.monotonic() - begun
    with Store(own / "home") as store:
        last = store.events(store.runs()[0].id)[-1].payload
    found = {one["name"]: one for one in last.get("providers", ())}
    wrong = not found or any(found[name]["verdict"] != "consistent" for name in HONEST)
    verdict, reasons = (found["x"]["verdict"], found["x"]["reasons"]) if found else ("none", [str(last)])
    print(f"| {role} | {verdict} | {'; '.join(reasons)[:200]} | {seconds:.0f} | {most >> 20:,} MB |", flush=True)
    return wrong


def _peak(pid: int) -> int:
    """VmHWM of a process, in bytes; 0 once it is over."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:")), 0)


if __name__ == "__main__":
    sys.exit(main())
