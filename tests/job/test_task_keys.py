"""A key of a task that is wrong is refused with its line, what is allowed and the nearest word."""

from __future__ import annotations

import pytest

from tests.job.good import STEPS, assert_refused, changed


@pytest.mark.parametrize(
    ("text", "line", "key", "allowed", "suggestion"),
    [
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
    ],
)
def test_a_problem_of_a_task_names_line_key_what_is_allowed_and_the_nearest_word(
    text: str, line: int, key: str, allowed: str, suggestion: str | None
) -> None:
    assert_refused(text, line, key, allowed, suggestion)
