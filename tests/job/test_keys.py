"""A key that is wrong is refused with the file, its line, what is allowed and the nearest word."""

from __future__ import annotations

import pytest

from auditor.job import JobError, parse_job
from tests.job.good import GOOD, LAST, STEPS, K, assert_refused, changed, only_problem


@pytest.mark.parametrize(
    ("text", "line", "key", "allowed", "suggestion"),
    [
        pytest.param("sed = 3\n" + GOOD, 1, "sed", "seed, task", "seed", id="unknown key at the top"),
        pytest.param(
            changed(STEPS, "step = 100\n\n"), 5, "training.step", "batch_size", "steps", id="unknown key in a table"
        ),
        pytest.param(
            changed(LAST, LAST + "primry = false\n"), 22, "providers.2.primry", "primary", "primary", id="in a provider"
        ),
        pytest.param(
            changed(STEPS, STEPS.strip() + '\noptimizer = { name = "sgd", momentun = 0.5 }\n'),
            6,
            "training.optimizer.momentun",
            "lr, momentum, name, weight_decay",
            "momentum",
            id="unknown key in an inline table",
        ),
        pytest.param(changed(STEPS, 'steps = "100"\n'), 5, "training.steps", "integer", None, id="text for a number"),
        pytest.param(changed(STEPS, "steps = true\n"), 5, "training.steps", "integer", None, id="boolean for a number"),
        pytest.param(changed(STEPS, "steps = 0\n"), 5, "training.steps", "greater than 0", None, id="zero steps"),
        pytest.param(
            changed(STEPS, STEPS + 'optimizer = { name = "sgd", lr = inf }\n'),
            7,
            "training.optimizer.lr",
            "finite",
            None,
            id="infinite learning rate",
        ),
        pytest.param("seed = -1\n" + GOOD, 1, "seed", "greater than or equal to 0", None, id="negative seed"),
        pytest.param('name = "a\\u001bb"\n' + GOOD, 1, "name", "control", None, id="escape in the name"),
        pytest.param(
            changed(STEPS, STEPS.strip() + '\noptimizer = { name = "sdg" }\n'),
            6,
            "training.optimizer",
            "'sgd', 'adamw'",
            "sgd",
            id="unknown optimizer",
        ),
        pytest.param(
            changed(STEPS, STEPS.strip() + "\noptimizer = { lr = 0.1 }\n"),
            6,
            "training.optimizer",
            "name",
            None,
            id="optimizer without a name",
        ),
        pytest.param(
            changed(STEPS, STEPS.strip() + '\nschedule = { name = "cosin" }\n'),
            6,
            "training.schedule",
            "'constant', 'cosine', 'triangular'",
            "cosine",
            id="unknown schedule",
        ),
        pytest.param(
            changed(STEPS, STEPS.strip() + '\naugment = [\n  "crop",\n  "flop",\n]\n'),
            6,
            "training.augment.1",
            "'crop' or 'flip'",
            "flip",
            id="unknown augmentation, in a list over several lines",
        ),
        pytest.param(
            changed(STEPS, STEPS.strip() + '\nprecision = "bf61"\n'), 6, "training.precision", "bf16", "bf16", id="bf61"
        ),
        pytest.param(changed(K, K + 'decision = "rato"\n'), 9, "audit.decision", "'ratio'", "ratio", id="decision"),
        pytest.param(changed(K, K + 'metrics = "update"\n'), 9, "audit.metrics", "list", None, id="metrics as text"),
        pytest.param(changed(K, K + "metrics = [7]\n"), 9, "audit.metrics.0", "name", None, id="metric as a number"),
        pytest.param(
            changed(K, K + 'metrics = ["update", { name = "update" }]\n'),
            9,
            "audit.metrics",
            "update is named twice",
            None,
            id="a metric twice",
        ),
        pytest.param(
            changed(K, K + "replicated = 2\nreplicate_probability = 0.2\n"),
            10,
            "audit.replicate_probability",
            "only one of replicated and replicate_probability",
            None,
            id="two ways of selecting",
        ),
        pytest.param(changed("primary = true\n", ""), 10, "providers", "primary = true", None, id="no primary"),
        pytest.param(
            changed(LAST, LAST + "primary = true\n"),
            10,
            "providers",
            "anna and cleo are each",
            None,
            id="two primaries",
        ),
        pytest.param(changed('"cleo"', '"bert"'), 10, "providers", "a different name", None, id="the same name twice"),
        pytest.param(
            changed(K, K + "benign_fraction = 0.5\n"), 9, "audit.benign_fraction", "0.667 to 1", None, id="n·r < 2"
        ),
        pytest.param(changed(K, "sub_run_steps = 101\n"), 8, "audit.sub_run_steps", "1 to 100", None, id="k > steps"),
        pytest.param(changed(K, K + "replicated = 11\n"), 9, "audit.replicated", "1 to 10", None, id="m > sub-runs"),
        pytest.param(
            changed(K, K + "fixed_selection = [3, 10]\n"),
            9,
            "audit.fixed_selection",
            "0 to 9",
            None,
            id="no such sub-run",
        ),
        pytest.param(changed(K, K + "replicas = 3\n"), 9, "audit.replicas", "1 to 2", None, id="too many replicas"),
        pytest.param(
            changed(LAST, 'name = "cleo"\nendpoint = "https://h:1"\nattack = { name = "badnets" }\n'),
            22,
            "providers.2.attack",
            "local provider",
            None,
            id="attack by a remote provider",
        ),
        pytest.param(
            changed(LAST, LAST + "attack = { rate = 0.1 }\n"),
            22,
            "providers.2.attack.name",
            "missing",
            None,
            id="no name",
        ),
        pytest.param(
            changed(LAST, 'name = "cleo"\nendpoint = "locl:cpu"\n'),
            21,
            "providers.2.endpoint",
            "local:cuda:N",
            "local:cpu",
            id="unknown endpoint",
        ),
        *(
            pytest.param(
                changed(LAST, f'name = "cleo"\nendpoint = "{endpoint}"\n'),
                21,
                "providers.2.endpoint",
                "https://host:port",
                None,
                id=endpoint,
            )
            for endpoint in ("http://h:1", "https://h:99999", "https://h:port", "https://[::1", "unix:~nobody-here/x")
        ),
    ],
)
def test_a_problem_names_line_key_what_is_allowed_and_the_nearest_word(
    text: str, line: int, key: str, allowed: str, suggestion: str | None
) -> None:
    assert_refused(text, line, key, allowed, suggestion)


def test_the_message_starts_with_file_and_line_and_ends_with_the_suggestion() -> None:
    with pytest.raises(JobError) as caught:
        parse_job(changed('"digits"', '"digts"'), source="my job.toml")
    message = str(caught.value)
    assert message.startswith("my job.toml:2: task.dataset: unknown dataset 'digts'; use one of digits, tensors:PATH")
    assert message.endswith("Did you mean 'digits'?")


def test_all_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = changed('"digits"', '"digts"').replace("steps = 100", "steps = -1").replace('"bert"', "7")
    with pytest.raises(JobError) as caught:
        parse_job(text)
    assert [problem.key for problem in caught.value.problems] == ["task.dataset", "training.steps", "providers.1.name"]


def test_an_empty_file_is_told_what_is_missing() -> None:
    with pytest.raises(JobError) as caught:
        parse_job("")
    assert {(problem.key, "missing" in problem.message) for problem in caught.value.problems} == {
        ("task", True),
        ("providers", True),
    }


@pytest.mark.parametrize("share", ["0.333", "0.3333"])
def test_what_the_message_allows_for_the_benign_fraction_is_allowed(share: str) -> None:
    more = "".join(f'[[providers]]\nname = "p{index}"\nendpoint = "local:cpu"\n' for index in range(3))
    text = changed(K, K + f"benign_fraction = {share}\n") + more
    lowest = only_problem(text).message.rpartition("give ")[2].partition(" to 1")[0]
    assert parse_job(text.replace(share, lowest)).benign_fraction == float(lowest)
