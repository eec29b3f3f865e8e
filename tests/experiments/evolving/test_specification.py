"""Study files: which settings they mean, and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.experiments.evolving.checks import check_study
from auditor.experiments.evolving.settings import lessons_of, settings_of
from auditor.experiments.evolving.specification import load_study, parse_study
from auditor.experiments.evolving.varied import varied
from auditor.experiments.evolving.work import Site, training_of
from auditor.job.errors import JobError
from auditor.plugins.catalogue import Catalogue
from tests.command import ROOT
from tests.experiments.evolving.study_text import STUDY


def test_every_combination_is_a_setting_and_each_is_one_once(tmp_path: Path) -> None:
    sweep = """
poison_ratios = [0.1, 0.2]
drifts = [{ name = "rotate", step = 2.0 }, { name = "brightness", step = -0.05 }]
learning_rates = [0.005, 0.5, 0.5]
epochs = [5, 20]
schedules = [{ name = "constant" }, { name = "triangular", peak = 0.2 }]
models = ["resnet8", "torchvision:resnet18"]
"""
    study = parse_study(STUDY + sweep, "study.toml", tmp_path).study
    settings = settings_of(study)
    assert len(settings) == 2**8 + 2**7  # those that nobody poisons have no poisoned updates
    names = varied(settings)
    assert {"attack", "rate", "poisoned updates", "drift", "drift step", "learning rate", "epochs", "model"} <= set(
        names
    )
    assert "schedule peak" not in names, "only triangular schedules have one, and it is the same for all"


def test_an_option_that_one_attack_lacks_differs_only_among_those_that_have_it(tmp_path: Path) -> None:
    def names(attacks: str) -> list[str]:
        text = STUDY.replace('attacks = [{ name = "badnets", rate = 0.3 }, "blend"]', f"attacks = [{attacks}]")
        return varied(settings_of(parse_study(text, "study.toml", tmp_path).study))

    assert names('{ name = "badnets", size = 3 }, "blend"') == ["attack", "poisoned updates"]
    assert names('{ name = "badnets", size = 3 }, "badnets"') == ["size", "poisoned updates"]
    blends = '{ name = "blend", alpha = 0.1 }, { name = "blend", alpha = 0.2 }'
    assert names(f'{{ name = "badnets", size = 3 }}, {blends}') == ["attack", "alpha", "poisoned updates"]


def test_lessons_are_the_updates_of_an_evolving_job(tmp_path: Path) -> None:
    study = parse_study(STUDY, "study.toml", tmp_path).study
    setting = next(one for one in settings_of(study) if one.poisoned == (1,))
    lessons = lessons_of(study, setting, 1, Catalogue())
    assert [lesson.task.slice for lesson in lessons] == ["train", "stream[0]", "stream[1]", "stream[2]"]
    assert [lesson.task.drift and lesson.task.drift.amount for lesson in lessons] == [None, 5.0, 10.0, 15.0]
    assert [lesson.attack is not None for lesson in lessons] == [False, True, False, False]
    assert lessons[1].attack == {"name": "badnets", "rate": 0.3, "seed": 1}, "instances poison samples of their own"
    assert len({lesson.seed for lesson in lessons}) == 4
    assert [training_of(lesson, 320).steps for lesson in lessons] == [60, 1, 1, 1]
    assert lessons[1].training.optimizer.lr == 0.01


MISTAKES = [
    ("gammas = [0.3, 0.5]", "gammas = [0.0]", ["study.toml:24: sweep.gammas.0:", "greater than 0"]),
    ("gammas = [0.3, 0.5]", "gammas = [0.5, 1.0]", ["study.toml:24: sweep.gammas.1:", "less than 1"]),
    ("gammas = [0.3, 0.5]", "gammas = [nan]", ["study.toml:24: sweep.gammas.0:"]),
    ("gammas", "gamas", ["study.toml:24: sweep.gamas:", "Did you mean 'gammas'?"]),
    ('"blend"]', '"blendd"]', ["study.toml:22: sweep.attacks.1:", "Did you mean 'blend'?"]),
    ("rate = 0.3", "rat = 0.3", ["study.toml:22: sweep.attacks.0:", "Did you mean 'rate'?"]),
    ("rate = 0.3", "target = 10", ["study.toml:22: sweep.attacks.0:", "10 classes"]),
    ('"blend"]', '"text_trigger"]', ["study.toml:22: sweep.attacks.1:", "text"]),
    ("rate = 0.3", "updates = [1]", ["study.toml:22: sweep.attacks.0.updates:", "poisoned_updates"]),
    ("[[0], [1]]", "[[0], [4]]", ["study.toml:23: sweep.poisoned_updates.1:", "0 to 3"]),
    ("[[0], [1]]", "[[0], []]", ["study.toml:23: sweep.poisoned_updates.1:"]),
    ('name = "rotate"', 'name = "rotation"', ["study.toml:15: evolution.drift:", "Did you mean 'rotate'?"]),
    ('name = "rotate"', 'name = "hue"', ["study.toml:15: evolution.drift:", "gray"]),
    ('drift = { name = "rotate", step = 5.0 }', "", ["evolution.drift:", "is missing"]),
    ("gammas", 'drifts = [{ name = "hue", step = 0.1 }]\ngammas', ["study.toml:24: sweep.drifts.0:", "gray"]),
    ("updates = 3", "updates = 900", ["study.toml:14: evolution.updates:", "leave none"]),
    ("updates = 3", "updates = 100", ["study.toml:14: evolution.updates:", "fewer than a batch of 32"]),
    ("epochs = 0.1", "batch_size = 512", ["study.toml:18: evolution.training.batch_size:", "a batch of 512"]),
    ("updates = 3", "updates = 3\nshare = 0.99", ["study.toml:15: evolution.share:", "fewer than a batch"]),
    ('dataset = "digits"', 'dataset = "digit"', ["study.toml:6: task.dataset:", "Did you mean 'digits'?"]),
    ('dataset = "digits"', 'dataset = "tensors:no.safetensors"', ["study.toml:6: task.dataset:", "no.safetensors"]),
    ('dataset = "digits"', 'dataset = "digits"\nslice = "stream[0]"', ["study.toml:7", "task.slice"]),
    (
        "gammas",
        'models = ["resnet8", "resnet7"]\ngammas',
        ["study.toml:24: sweep.models.1:", "Did you mean"],
    ),
    ("gammas", 'models = ["torchvision:resnet19"]\ngammas', ["study.toml:24: sweep.models.0:", "resnet19"]),
    ("gammas", 'schedules = [{ name = "triangle" }]\ngammas', ["study.toml:24: sweep.schedules.0:", "'triangular'"]),
    (
        "gammas",
        'schedules = [{ name = "triangular", peek = 0.1 }]\ngammas',
        ["study.toml:24: sweep.schedules.0.peek:", "Did you mean 'peak'?"],
    ),
    ("lr = 0.01", "lrate = 0.01", ["study.toml:19: evolution.training.optimizer.lrate:", "lr"]),
    ("steps = 60", 'steps = 60\ninitial = "x.safetensors"', ["study.toml:10: training.initial:", "remove it"]),
    ("updates = 3", "updates = 3\nstop_when_flagged = true", ["evolution.stop_when_flagged", "a study has none"]),
]


@pytest.mark.parametrize(("right", "wrong", "words"), MISTAKES, ids=[wrong for _, wrong, _ in MISTAKES])
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, right: str, wrong: str, words: list[str]) -> None:
    assert right in STUDY
    with pytest.raises(JobError) as caught:
        check_study(
            parse_study(STUDY.replace(right, wrong, 1), "study.toml", tmp_path), Site(tmp_path, Catalogue(), "cpu")
        )
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


STUDIES = sorted((ROOT / "docs" / "studies").glob("*.toml"))


@pytest.mark.parametrize("path", [path for path in STUDIES if path.stem != "theory"], ids=lambda path: path.stem)
def test_the_studies_of_the_documents_can_be_read(path: Path) -> None:
    study = load_study(path).study
    assert study.name == path.stem
    assert study.instances >= 3
    assert settings_of(study)
