"""What a toss does with participants that stop, lie, copy or come late, and whether anybody can load it.

    python -m tests.bench.tosses [--tosses 10000] [--agents 3,16]

The participants are in this process and speak the pure protocol (`auditor.base.coin`). With `--agents` the same is done
by audits of real agents. Everything but the agents' own secrets follows from seeds.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import chisquare

from auditor.base.coin import CLIENT, Fault, Judged, Opening, commitment, draw, judge
from tests.command import Auditor
from tests.pretender import serving

STOPS, LIES, COPIES, LATE = "stops", "lies", "copies", "is late"
TRICKS = ("reveal.says_no", "reveal.other_value", "toss.copies", "reveal.never_answers")
"""What real agents do (see `tests.pretender`)."""
KINDS = (STOPS, LIES, COPIES, LATE)
DUE: Mapping[str, str] = {STOPS: Fault.REFUSED, LIES: Fault.LIED, COPIES: Fault.COPIED, LATE: "late"}


@dataclass(frozen=True)
class Tossed:
    """How the tosses of some participants ended.

    Attributes:
        named: who was left out, and for what; `late` is no accusation.
        due: who should have been.
        tosses: how many it took.
        stopping: how many participants were not honest.
        seed: what was tossed.
    """

    named: Mapping[str, str]
    due: Mapping[str, str]
    tosses: int
    stopping: int
    seed: str | None


def many(participants: int, seed: int) -> Tossed:
    """Toss among `participants`, a quarter of whom is not honest: each acts in a toss of its choosing."""
    rng = random.Random(seed)
    names = [f"p{number}" for number in range(participants)]
    bad = {
        name: KINDS[(index + seed) % len(KINDS)]
        for index, name in enumerate(rng.sample(names, max(1, participants // 4)))
    }
    acts = {name: rng.randint(1, 3) for name in bad}
    named: dict[str, str] = {}
    for number in range(1, participants + 2):
        here = [name for name in names if name not in named]
        acting = {name: bad[name] for name in here if name in bad and acts[name] <= number}
        judged = _toss(f"bench.toss-{number}", here, acting, rng)
        named |= {**judged.faults, **dict.fromkeys(judged.missing, "late")}
        if judged.seed is not None:
            # Who had no occasion to act was honest.
            due = {name: DUE[kind] for name, kind in bad.items() if acts[name] <= number}
            return Tossed(named, due, number, len(due), judged.seed)
    raise AssertionError("every toss that fails leaves somebody out")


def _toss(toss: str, names: Sequence[str], acting: Mapping[str, str], rng: random.Random) -> Judged:
    openings = {name: draw(rng.randbytes(32), toss) for name in (CLIENT, *names)}
    pairs = [(name, commitment(toss, name, opening)) for name, opening in openings.items()]
    honest = [name for name in openings if name not in acting]
    copied = dict(pairs)[rng.choice(honest)]
    pairs = [(name, copied if acting.get(name) == COPIES else made) for name, made in pairs]
    refused = {name: "no" for name, kind in acting.items() if kind == STOPS}
    for name, kind in acting.items():
        if kind == LIES:
            openings[name] = Opening(rng.randbytes(32).hex(), openings[name].salt)
        elif kind in (STOPS, LATE):
            del openings[name]
    return judge(toss, pairs, openings, refused)


def rushing(count: int, seed: int) -> Iterator[bytes]:
    """Seeds of tosses of three providers and the client, one of whom sees all before it reveals, and always does.

    It has committed to values of its choosing, here always the same ones, and can open nothing else.
    """
    rng, fixed = random.Random(seed), Opening("ff" * 32, "00" * 32)
    for number in range(count):
        toss = f"bench.toss-{number}"
        openings = {name: draw(rng.randbytes(32), toss) for name in (CLIENT, "a", "b")} | {"adversary": fixed}
        pairs = [(name, commitment(toss, name, opening)) for name, opening in openings.items()]
        judged = judge(toss, pairs, openings, {})
        assert judged.seed is not None
        yield bytes.fromhex(judged.seed)


def aborting(coalition: int, count: int, seed: int) -> tuple[float, float]:
    """How often the low bit of the seed is 1 where `coalition` providers stop tosses one after another for it.

    Returns the share, and what c + 1 tosses to choose from allow: 1 - 2^-(c + 1).
    """
    rng, wanted = random.Random(seed), 0
    for number in range(count):
        left = [f"adversary {index}" for index in range(coalition)]
        for again in range(coalition + 1):
            toss = f"bench-{number}.toss-{again}"
            openings = {name: draw(rng.randbytes(32), toss) for name in (CLIENT, "a", "b", *left)}
            pairs = [(name, commitment(toss, name, opening)) for name, opening in openings.items()]
            judged = judge(toss, pairs, openings, {})  # the adversary sees all of it before it reveals
            assert judged.seed is not None
            likes = int(judged.seed, 16) % 2 == 1
            if likes or not left:
                wanted += likes
                break
            stopping = left.pop()
            failed = judge(toss, pairs, {name: one for name, one in openings.items() if name != stopping}, {})
            assert failed.missing == (stopping,)
    return wanted / count, 1 - 0.5 ** (coalition + 1)


def chi_squared(seeds: Iterator[bytes]) -> float:
    """The p-value of Pearson's test that all bytes of all seeds are equally frequent."""
    counts = Counter(byte for seed in seeds for byte in seed)
    return float(chisquare([counts[byte] for byte in range(256)]).pvalue)


def _with_agents(participants: int, tricks: Sequence[str]) -> str:
    """An audit among real agents, of which these play tricks; who was named, how many tosses it took, and the end."""
    honest = [f"h{number}" for number in range(participants - len(tricks))]
    with tempfile.TemporaryDirectory() as folder, serving(tricks, Path(folder)) as endpoints:
        auditor = Auditor(Path(folder), Path(folder) / "home")
        job = auditor.job(
            providers=[*honest, *tricks],
            endpoints=endpoints,
            steps=10,
            audit='fixed_selection = [0]\nrandomness = "coin"\ntoss_seconds = 10.0\nreplicas = 1',
        )
        done = auditor("run", job, "--json")
        tosses = [event for event in done.events if event["event"] == "toss_revealed"]
        checked = auditor("verify", "last").code
    named = [f"{name} {fault}" for toss in tosses for name, fault in toss["faults"].items()]
    late = [f"{name} late" for toss in tosses for name in toss["missing"]]
    settled = "yes" if tosses and tosses[-1]["seed"] else "no"
    cells = (participants, ", ".join([*named, *late]), len(tosses), settled, done.code, checked)
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tosses", type=int, default=10_000)
    parser.add_argument("--agents", default="")
    asked = parser.parse_args()
    print("| participants | not honest | named rightly | named wrongly | late | tosses (mean, most) |")
    print("|---|---|---|---|---|---|")
    for participants in (3, 16, 64):
        found = [many(participants, seed) for seed in range(200)]
        right = sum(one.named.get(name) == due for one in found for name, due in one.due.items() if due != "late")
        late = sum(one.named.get(name) == due for one in found for name, due in one.due.items() if due == "late")
        wrong = sum(name not in one.due for one in found for name in one.named)
        every = sum(one.stopping for one in found)
        tosses = [one.tosses for one in found]
        print(
            f"| {participants} | {every} in 200 runs | {right} of {every - late} | {wrong} | {late} | "
            f"{sum(tosses) / len(tosses):.2f}, {max(tosses)} |"
        )
    print(f"\nuniformity of {asked.tosses:,} seeds with a rushing adversary: chi-squared over bytes, ", end="")
    print(f"p = {chi_squared(rushing(asked.tosses, seed=1)):.3f}")
    for coalition in (1, 3):
        share, bound = aborting(coalition, asked.tosses, seed=2)
        print(f"stopping for the low bit, c = {coalition}: share {share:.4f}, bound {bound:.4f}")
    if asked.agents:
        print("\n| real agents | named or late | tosses | seed | `run` ends with | `verify` ends with |")
        print("|---|---|---|---|---|---|")
    for count in map(int, filter(None, asked.agents.split(","))):
        # Of three, one is not honest at a time, so that there are two to go on with.
        for tricks in [[one] for one in TRICKS] if count == 3 else [TRICKS]:
            print(_with_agents(count, tricks), flush=True)


if __name__ == "__main__":
    main()
