"""A bad job file is refused with the file, the line, the key, what is allowed and the nearest word."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.base.seeds import Drawer, Seeds
from auditor.job import JobError, Problem, load_job, parse_job
from auditor.job.job_file import MAX_BYTES
from auditor.job.text import TextTask

GOOD = """\
[task]
dataset = "digits"

[training]
steps = 100

[audit]
sub_run_steps = 10

[[providers]]
name = "anna"
endpoint = "local:cpu"
primary = true

[[providers]]
name = "bert"
endpoint = "local:cpu"

[[providers]]
name = "cleo"
endpoint = "local:cpu"
"""


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def only_problem(text: str) -> Problem:
    with pytest.raises(JobError) as caught:
        parse_job(text, source="job.toml")
    assert len(caught.value.problems) == 1, str(caught.value)
    return caught.value.problems[0]


STEPS, K, AUDIT, LAST = (
    "steps = 100\n\n",
    "sub_run_steps = 10\n",
    "[audit]\n",
    'name = "cleo"\nendpoint = "local:cpu"\n',
)


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
        pytest.param(changed('"digits"', '"digts"'), 2, "task.dataset", "digits", "digits", id="unknown dataset"),
        pytest.param(changed('"digits"', '"tensor:a"'), 2, "task.dataset", "tensors:PATH", "tensors:", id="form"),
        pytest.param(changed('"digits"', '"tensors:"'), 2, "task.dataset", "tensors:PATH", "tensors:", id="no path"),
        pytest.param(changed('"digits"', '"digits:x"'), 2, "task.dataset", "digits", "digits", id="digits with a path"),
        pytest.param(changed('"digits"', '"tensors:a\\u0000b"'), 2, "task.dataset", "path", None, id="NUL in a path"),
        pytest.param(
            changed('"digits"', '"images:~no-such-user/x"'), 2, "task.dataset", "path", None, id="home of nobody"
        ),
        pytest.param(
            changed('"digits"\n', '"digits"\nmodel = "resnet80"\n'), 3, "task.model", "resnet8", "resnet8", id="model"
        ),
        pytest.param(
            changed('"digits"', '"tsv:a.tsv"'),
            2,
            "task.dataset",
            "kind 'text', but this task is of kind 'vis",
            None,
            id="tsv",
        ),
        pytest.param(
            changed('"digits"\n', '"digits"\nmodel = "transformer"\n'),
            3,
            "task.model",
            "for tasks of kind 'text'",
            None,
            id="transformer for images",
        ),
        pytest.param(
            changed('"digits"\n', '"reviews"\nkind = "text"\nmodel = "resnet8"\n'),
            4,
            "task.model",
            "transformer, embeddings",
            None,
            id="resnet for texts",
        ),
        pytest.param(
            changed('"digits"\n', '"reviews"\nkind = "text"\nmodel = "transfomer"\n'),
            4,
            "task.model",
            "transformer, embeddings",
            "transformer",
            id="text model",
        ),
        pytest.param(
            changed('"digits"\n', '"tvs:a"\nkind = "text"\n'), 2, "task.dataset", "tsv:PATH", "tsv:", id="text data"
        ),
        pytest.param(
            changed('"digits"\n', '"digits"\nkind = "txt"\n'), 3, "task.kind", "'text' or 'vision'", "text", id="kind"
        ),
        pytest.param(
            changed('"digits"\n', '"digits"\nmax_length = 9\n'),
            3,
            "task.max_length",
            "key of text tasks",
            None,
            id="length of images",
        ),
        pytest.param(
            changed('"digits"\n', '"reviews"\nkind = "text"\nheld_out = "tsv:b"\n'),
            4,
            "task.held_out",
            "reviews has its own",
            None,
            id="held out of what has its own",
        ),
        pytest.param(
            changed('"digits"\n', '"tsv:a"\nkind = "text"\nheld_out = "b.tsv"\n'),
            4,
            "task.held_out",
            "tsv:PATH",
            "tsv:",
            id="held out of another form",
        ),
        pytest.param(
            changed('"digits"\n', '"reviews"\nkind = "text"\ntokenizer = "a.json"\nvocabulary_size = 900\n'),
            5,
            "task.vocabulary_size",
            "remove one of the two keys",
            None,
            id="size of a given tokenizer",
        ),
        pytest.param(
            changed('"digits"\n', '"reviews"\nkind = "text"\nvocabulary_size = 10\n'),
            4,
            "task.vocabulary_size",
            "300",
            None,
            id="too small a vocabulary",
        ),
        pytest.param(
            changed('"digits"\n', '"reviews"\nkind = "text"\ntokenizer = "a\\u0000b"\n'),
            4,
            "task.tokenizer",
            "not a path",
            None,
            id="NUL in the path of a tokenizer",
        ),
        pytest.param(
            changed('"digits"\n', '"reviews"\nkind = "text"\n').replace(STEPS, 'steps = 100\naugment = ["flip"]\n\n'),
            7,
            "training.augment",
            "text task takes no augment",
            None,
            id="texts are not flipped",
        ),
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
    problem = only_problem(text)
    assert (problem.line, problem.key) == (line, key)
    assert allowed in problem.message
    if suggestion is not None:
        assert problem.suggestion == suggestion


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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("a = [\n1\n", "not valid TOML", id="unclosed"),
        pytest.param("[task]\ndataset digits\n", "not valid TOML", id="no equals sign"),
        pytest.param("a = 1\na = 2\n", "not valid TOML", id="key twice"),
        pytest.param("a = " + "[" * 5_000 + "]" * 5_000, "deeply", id="deeply nested"),
        pytest.param("seed = " + "1" * 5_000, "number", id="endless number"),
    ],
)
def test_text_that_cannot_be_parsed_is_a_job_error(text: str, words: str) -> None:
    assert words in only_problem(text).message


def test_a_syntax_error_names_its_line() -> None:
    assert only_problem("[task]\ndataset digits\n").line == 2


def test_lines_are_counted_as_editors_count_them() -> None:
    strange = 'note = """a\u2028b\n]# " not the end\n"""  # [ {\n\n# comment [\n"sed" = 1\n'
    with pytest.raises(JobError) as caught:
        parse_job(strange + GOOD)
    assert [(problem.key, problem.line) for problem in caught.value.problems] == [("note", 1), ("sed", 6)]


def test_windows_line_ends_and_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_job(path) == parse_job(GOOD)
    path.write_bytes(b"\xef\xbb\xbf" + changed('"digits"', '"digts"').replace("\n", "\r\n").encode())
    with pytest.raises(JobError) as caught:
        load_job(path)
    assert caught.value.problems[0].line == 2


def test_a_long_file_of_something_else_is_refused_at_once() -> None:
    text = "".join(f'[[package]]\nname = "crate-{index}"\nversion = "1.0"\n\n' for index in range(5_000))
    with pytest.raises(JobError) as caught:
        parse_job(text)
    assert [(problem.key, problem.line) for problem in caught.value.problems if problem.line] == [("package", 1)]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="No such file") as caught:
        load_job(tmp_path / "none.toml")
    assert caught.value.source == str(tmp_path / "none.toml")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="is a folder, not a file"):
        load_job(tmp_path)


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_bytes(b"name = '\xff'\n")
    with pytest.raises(JobError, match="not UTF-8"):
        load_job(path)


def test_a_huge_file_is_refused_without_being_parsed(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_bytes(b"\xff" * (MAX_BYTES + 1))
    with pytest.raises(JobError, match=f"has more than {MAX_BYTES:,} bytes"):
        load_job(path)


def test_a_dataset_path_is_relative_to_the_job_file(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    for written, meant in (
        ("tensors:data/a.safetensors", f"tensors:{tmp_path.resolve()}/data/a.safetensors"),
        ("images:../pictures", f"images:{tmp_path.resolve().parent}/pictures"),
        ("tensors:/elsewhere/a", "tensors:/elsewhere/a"),
        ("images:~/a", f"images:{(Path.home() / 'a').resolve()}"),
        ("torchvision:CIFAR10", "torchvision:CIFAR10"),
        ("digits", "digits"),
    ):
        path.write_text(changed('"digits"', f'"{written}"'))
        assert load_job(path).task.source_of("training part") == f"dataset = {meant!r}"


def test_all_paths_of_a_text_task_are_relative_to_the_job_file(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    keys = 'kind = "text"\ndataset = "tsv:a.tsv"\nheld_out = "tsv:../b.tsv"\ntokenizer = "c/d:e.json"'
    path.write_text(changed('dataset = "digits"', keys))
    here, task = tmp_path.resolve(), load_job(path).task
    assert isinstance(task, TextTask)
    assert task.dataset == f"tsv:{here}/a.tsv"
    assert task.held_out == f"tsv:{here.parent}/b.tsv"
    assert task.tokenizer == f"{here}/c/d:e.json"
    assert type(task).model_validate_json(task.model_dump_json()) == task


def test_defaults_of_a_text_task_suit_it() -> None:
    text = changed('"digits"', '"reviews"\nkind = "text"')
    job = parse_job(text)
    assert job.task.model_name == "transformer"
    assert job.training.optimizer.model_dump() == {
        "name": "adamw",
        "lr": 1e-3,
        "beta1": 0.9,
        "beta2": 0.999,
        "weight_decay": 1e-2,
    }
    given = parse_job(text.replace(STEPS, 'steps = 100\noptimizer = { name = "sgd" }\n\n'))
    assert given.training.optimizer.name == "sgd"
    assert type(job).model_validate_json(job.model_dump_json()) == job


def test_defaults_make_a_sensible_audit() -> None:
    job = parse_job(GOOD.replace("[training]\nsteps = 100\n", "").replace("[audit]\nsub_run_steps = 10\n", ""))
    assert (job.name, job.seed, job.task.kind, job.task.model_name) == ("untitled", 0, "vision", "resnet8")
    training, audit = job.training, job.audit
    assert (training.steps, training.batch_size, training.precision, training.augment) == (400, 64, "fp32", ())
    assert training.optimizer.model_dump() == {"name": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 5e-4}
    assert training.schedule.name == "constant"
    assert (audit.sub_run_steps, job.replicated, job.sub_runs, job.participants) == (40, 4, 10, 3)
    assert (audit.seeds, audit.drawn_by, audit.decision, audit.false_alarm_rate) == ("shared", "client", "auto", 0.01)
    assert [use.name for use in audit.metrics] == ["update", "zest"]
    assert (job.benign_fraction, job.benign) == (0.67, 2)
    assert (job.primary.name, [other.name for other in job.others]) == ("anna", ["bert", "cleo"])


def test_options_of_metrics_and_attacks_are_kept_as_written() -> None:
    job = parse_job(
        changed(K, K + 'metrics = ["cka", { name = "zest", images = 8 }]\n').replace(
            "primary = true\n", 'primary = true\nattack = { name = "badnets", rate = 0.2, target = 3 }\n'
        )
    )
    assert [(use.name, use.options) for use in job.audit.metrics] == [("cka", {}), ("zest", {"images": 8})]
    assert job.primary.attack is not None
    assert job.primary.attack.options == {"rate": 0.2, "target": 3}


def test_a_job_survives_being_written_as_json() -> None:
    job = parse_job(changed(K, K + 'metrics = [{ name = "zest", images = 8 }]\n'))
    assert type(job).model_validate_json(job.model_dump_json()) == job


def with_audit(keys: str) -> str:
    return GOOD.replace("[audit]\n", f"[audit]\n{keys}\n")


@pytest.mark.parametrize(
    ("keys", "seeds", "drawn_by"),
    [
        ("", Seeds.SHARED, Drawer.CLIENT),
        ('randomness = "client"', Seeds.SHARED, Drawer.CLIENT),
        ('randomness = "provider"', Seeds.OWN, Drawer.PROVIDER),
        ('seeds = "shared"', Seeds.SHARED, Drawer.CLIENT),
        ('seeds = "own"', Seeds.OWN, Drawer.PROVIDER),
        ('seeds = "own"\ndrawn_by = "client"', Seeds.OWN, Drawer.CLIENT),
    ],
)
def test_seeds_are_shared_or_own_and_somebody_draws_them(keys: str, seeds: Seeds, drawn_by: Drawer) -> None:
    job = parse_job(with_audit(keys))
    assert (job.audit.seeds, job.audit.drawn_by) == (seeds, drawn_by)
    assert type(job).model_validate_json(job.model_dump_json()) == job


@pytest.mark.parametrize(
    ("keys", "key", "words", "suggestion"),
    [
        ('randomness = "clint"', "audit.randomness", "use 'client' or 'provider'", "client"),
        ("randomness = 3", "audit.randomness", "use 'client' or 'provider'", None),
        ('seeds = "shred"', "audit.seeds", "'shared' or 'own'", "shared"),
        ('drawn_by = "provider"', "audit.drawn_by", "the client draws seeds that all providers share", None),
        ('randomness = "client"\nseeds = "own"', "audit.seeds", "remove one of the two keys", None),
    ],
)
def test_what_cannot_be_said_of_seeds(keys: str, key: str, words: str, suggestion: str | None) -> None:
    problem = only_problem(with_audit(keys))
    assert (problem.key, problem.suggestion) == (key, suggestion)
    assert words in problem.message
