"""Some hundred job files made at random from nasty parts: each is a job or an error in sentences, soon."""

from __future__ import annotations

import random
import tomllib

import pytest

from auditor.job import JobError, parse_job
from auditor.job.model import Job
from auditor.planning import make_plan

KEYS = [
    *("name", "seed", "task", "training", "audit", "providers", "plugins", "kind", "dataset", "model", "held_out"),
    *("tokenizer", "vocabulary_size", "max_length", "steps", "batch_size", "optimizer", "schedule", "augment", "lr"),
    *("sub_run_steps", "replicated", "replicate_probability", "replicas", "benign_fraction", "randomness", "metrics"),
    *("decision", "false_alarm_rate", "stall_seconds", "fixed_selection", "endpoint", "primary", "price_per_hour"),
    *("attack", "target", "rate"),
]
VALUES = [
    *("0", "-1", "1", "3", "1e999", "-inf", "nan", "9007199254740993", "9" * 4000, "9" * 4400, "0x" + "f" * 4000),
    *("1e-320", "1e308", "true", "1979-05-27", "1979-05-27T07:32:00Z", "07:32:00", '""', "''", "[]", "{}", "[[]]"),
    *('"\\u0000"', '"\\u202e"', '"\\U0010ffff"', '"~nosuchuser/x"', '"../../../../etc"', '"tsv:"', '"images:\\u0000"'),
    *("[" * 400 + "]" * 400, "{ a = " * 200 + "1" + " }" * 200, "[" + "1," * 3000 + "]", '"' + "x" * 30_000 + '"'),
    *(
        '"""\n\n"""',
        "'''\\u0000'''",
        '["update", "update"]',
        '[{ name = "zest" }]',
        '{ name = "badnets", target = inf }',
    ),
    *(
        '"unix:~nosuchuser/x"',
        '"unix:\\u0000"',
        '"https://[::1"',
        '"https://x:99999"',
        '"local:cuda:' + "9" * 5000 + '"',
    ),
    *('"text"', '"vision"', '"provider"', '"client"', '"reviews"', '"tensors:/dev/zero"', '"torchvision:\\u001b[0m"'),
]
LINES = [
    "[[providers]]",
    "[providers]",
    "[task]",
    "[training.optimizer]",
    "[audit.audit.audit]",
    "[[audit]]",
    ".".join(["a"] * 300) + " = 1",
    '"' + "k" * 5000 + '" = 1',
    "'\u202e' = 1",
    "\x00",
    "]]]]",
    '"""',
    "a = 'b",
    "# \ud7ff",
    "a = 1\na = 2",
]
START = '[task]\ndataset = "digits"\n[training]\nsteps = 100\n[audit]\nsub_run_steps = 10\n'
PROVIDERS = "".join(
    f'[[providers]]\nname = "{name}"\nendpoint = "local:cpu"\nprimary = {str(name == "a").lower()}\n' for name in "abc"
)


def job_file(seed: int) -> str:
    draws = random.Random(seed)
    lines = (START + PROVIDERS).splitlines()
    for _ in range(draws.choice((1, 1, 1, 2, 4))):
        place = draws.randrange(len(lines) + 1)
        match draws.randrange(4):
            case 0:
                lines.insert(place, f"{draws.choice(KEYS)} = {draws.choice(VALUES)}")
            case 1 if place < len(lines) and " = " in lines[place]:
                lines[place] = f"{lines[place].partition(' = ')[0]} = {draws.choice(VALUES)}"
            case 2:
                lines.insert(place, draws.choice(LINES))
            case _:
                lines[place:] = [f"{draws.choice(KEYS)} = {draws.choice(VALUES)}", *lines[place:]]
    return "\n".join(lines)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("part", range(4))
def test_every_file_is_a_job_or_an_error_in_sentences(part: int) -> None:
    jobs = 0
    for seed in range(100 * part, 100 * part + 100):
        text = job_file(seed)
        try:
            job = parse_job(text, source="job.toml")
        except JobError as error:
            told = str(error)
            assert told.replace("\n", "").isprintable(), (seed, told)
            assert len(told) < 40_000, (seed, len(told))
            continue
        jobs += 1
        assert tomllib.loads(text), seed
        assert Job.model_validate_json(job.model_dump_json()) == job, seed
        assert make_plan(job).sub_runs == job.sub_runs, seed
    assert 0 < jobs < 90, "some files are jobs, and most are none"
