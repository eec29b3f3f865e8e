"""Parameters that are not trained never travel, and whoever has others says so before it trains."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from auditor.job.python_task import PythonTask
from auditor.job.task import Task
from auditor.job.training import AdamW, Training
from auditor.plugins import create_plugin
from auditor.plugins.attack import Attack
from auditor.tasks.checkpoint import encode
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.contract_tests import TaskContract
from auditor.tasks.errors import CheckpointError, TrainingError
from auditor.tasks.first_step import try_first_step
from auditor.tasks.initial_state import initial_state
from auditor.tasks.network_program import NetworkProgram
from auditor.tasks.own.delivered import load_delivered
from auditor.tasks.trainer import Trainer
from tests.tasks.loading import network_program
from tests.tasks.own.adapters import Adapted

CPU = torch.device("cpu")
TRAINING = Training(steps=40, batch_size=16)
TRAINED = {"down.weight", "up.weight", "head.weight", "head.bias"}
STATISTICS = {"norm.running_mean", "norm.running_var", "norm.num_batches_tracked"}
BASE = {"base.weight", "base.bias", "norm.weight", "norm.bias"}


def task(factory: str, **options: object) -> PythonTask:
    return PythonTask.model_validate({"module": "tests.tasks.own.adapters", "factory": factory, "options": options})


def program(factory: str, **options: object) -> NetworkProgram:
    return network_program(task(factory, **options))


def trainer(factory: str = "adapters", attack: Attack | None = None, training: Training = TRAINING) -> Trainer:
    return program(factory).learner(training, device=CPU, seed=5, attack=attack, sub_run_steps=4)


def travelling(learner: Trainer, part: str = "model.") -> set[str]:
    return {name.removeprefix(part) for name, _, _ in learner.schema.entries if name.startswith(part)}


class TestAdapters(TaskContract):
    def task(self) -> Task:
        return task("adapters")


class TestAdaptersWithAnOptimizer(TaskContract):
    def task(self) -> Task:
        return task("adapters_with_optimizer")


@pytest.mark.parametrize("optimizer", [{}, {"optimizer": AdamW(name="adamw")}])
@pytest.mark.parametrize("factory", ["adapters", "adapters_with_optimizer"])
def test_a_checkpoint_holds_what_training_changes_and_nothing_else(factory: str, optimizer: dict[str, AdamW]) -> None:
    learner = trainer(factory, training=Training(steps=40, batch_size=16, **optimizer))  # type: ignore[arg-type]
    assert travelling(learner) == TRAINED | STATISTICS
    assert {name.rpartition(".")[0] for name in travelling(learner, "optimizer.")} == TRAINED
    assert {name.removeprefix("model.") for name in learner.base} == BASE
    whole = trainer("adapters_whole")
    assert travelling(whole) == TRAINED | STATISTICS | BASE
    assert not whole.base
    outline = learner.outline()
    assert set(outline.parameters) == TRAINED
    assert set(outline.buffers) == STATISTICS


def test_what_travels_leads_to_the_same_model_as_when_all_of_it_travels() -> None:
    ends = []
    for factory in ("adapters", "adapters_whole"):
        learner = trainer(factory)
        for _ in range(4):
            learner.execute_step()
        ends.append(learner.checkpoint())
    assert ends[0].keys() < ends[1].keys()
    assert all(torch.equal(tensor, ends[1][name]) for name, tensor in ends[0].items())


def test_another_base_is_other_data_and_is_told_apart_from_other_parts() -> None:
    ours, theirs = program("adapters"), program("adapters", scale=1.5)
    assert ours.digest != theirs.digest
    differ = [name for name, digest in ours.part_digests.items() if theirs.part_digests[name] != digest]
    assert differ == ["frozen base"]
    assert "frozen base" not in program("adapters_whole").part_digests


def test_people_see_how_much_is_trained_and_what_every_provider_must_have() -> None:
    ours = program("adapters")
    words = " ".join(remark.text for remark in ours.inventory.remarks)
    assert "78 of 222 parameters are trained. 144 never travel" in words
    assert ours.part_digests["frozen base"] in words
    assert "travel" not in " ".join(remark.text for remark in program("adapters_whole").inventory.remarks)
    words = " ".join(remark.text for remark in program("drawn").inventory.remarks)
    assert "112 parameters are not trained, but travel, because another seed makes others" in words


def test_untrained_parameters_that_the_seed_draws_travel_with_the_initial_state() -> None:
    learner = trainer("drawn")
    assert travelling(learner) == {"random.weight", "random.bias", "head.weight", "head.bias"}
    assert {name.rpartition(".")[0] for name in travelling(learner, "optimizer.")} == {"head.weight", "head.bias"}


def test_whoever_changes_what_the_seed_drew_is_found_by_one_checkpoint() -> None:
    known = try_first_step(program("drawn"), TRAINING, device=CPU, seed=5, whole_batch=True)
    learner = trainer("drawn")
    learner.execute_step()
    end = learner.checkpoint()
    known.check(end, 1)
    for name in ("random.weight", "random.bias"):
        with pytest.raises(CheckpointError, match="not what the job gives it"):
            known.check(end | {f"model.{name}": end[f"model.{name}"] * 1.001}, 1)
    with torch.no_grad():
        learner.network.model.get_parameter("random.weight").mul_(1.001)
    with pytest.raises(TrainingError, match=r"training changed random\.weight"):
        learner.checkpoint()


def test_parameters_that_the_optimizer_does_not_have_stay_where_they_are() -> None:
    learner = trainer("head_alone")
    assert travelling(learner) == {"head.weight", "head.bias", "down.weight"} | STATISTICS  # the seed draws `down`
    assert {name.removeprefix("model.") for name in learner.base} == BASE | {"up.weight"}
    try_first_step(program("head_alone"), TRAINING, device=CPU, seed=5, whole_batch=True)


def test_what_lies_in_the_memory_of_something_that_changes_travels() -> None:
    learner = trainer("sharing")
    assert {name.removeprefix("model.") for name in learner.base} == {"fixed.weight", "fixed.bias", "tied.weight"}
    assert {"of_first", "of_buffer", "mean"} <= travelling(learner)
    assert program("sharing").inventory.remarks


def test_code_that_changes_what_has_no_gradient_is_named_before_anybody_trains() -> None:
    with pytest.raises(TrainingError, match=r"changed teacher\.weight, which has no gradient .* travels_whole = True"):
        try_first_step(program("taught"), TRAINING, device=CPU, seed=5, whole_batch=True)
    try_first_step(program("taught_whole"), TRAINING, device=CPU, seed=5, whole_batch=True)


def test_an_honest_provider_does_not_commit_to_what_others_could_not_execute() -> None:
    learner = trainer()
    learner.execute_step()
    with torch.no_grad():
        learner.network.model.get_parameter("base.weight")[3, 2] += 1e-6
    with pytest.raises(TrainingError, match=r"training changed base\.weight"):
        learner.checkpoint()


def test_honest_learners_hold_the_base_once_and_an_adversary_its_own() -> None:
    ours = program("adapters")
    first, second, adversary = (
        ours.learner(TRAINING, device=CPU, seed=seed, attack=attack)
        for seed, attack in ((1, None), (2, None), (1, Attack(Attack.Options())))
    )
    places = [one.network.model.get_parameter("base.weight").data_ptr() for one in (first, second, adversary)]
    assert places[0] == places[1] != places[2]
    assert first.network.model.get_parameter("head.weight").data_ptr() != second.state()["model.head.weight"].data_ptr()


class TrainsTheBase(Attack):
    """Changes what it should leave alone, after every step."""

    name = "trains_the_base"

    def on_update(self, model: torch.nn.Module, step: int) -> None:
        with torch.no_grad():
            model.get_parameter("base.weight").mul_(1.5)


def test_an_adversary_that_trains_the_base_delivers_none_of_it_and_shows_in_what_it_delivers() -> None:
    honest, adversary = trainer(), trainer(attack=TrainsTheBase(Attack.Options()))
    for learner in (honest, adversary):
        for _ in range(3):
            learner.execute_step()
    ends = honest.checkpoint(), adversary.checkpoint()
    assert ends[0].keys() == ends[1].keys()
    assert not any("base." in name for name in ends[1])
    assert not torch.equal(ends[0]["model.down.weight"], ends[1]["model.down.weight"])
    adversary.evaluator.load(ends[1])  # what the client gets, with the base that the client has
    honest.evaluator.load(ends[1])
    samples = program("adapters").held_out_samples
    assert torch.equal(adversary.network.logits(samples), honest.network.logits(samples))


def file_of(tensors: dict[str, Tensor], folder: Path) -> Path:
    save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, folder / "model.safetensors")
    return folder / "model.safetensors"


def test_training_starts_from_what_travelled_or_from_a_whole_model(tmp_path: Path) -> None:
    learner = trainer()
    learner.execute_step()
    end = learner.checkpoint()
    whole = {name: tensor.clone() for name, tensor in learner.network.model.state_dict().items()}
    trained = {name: tensor for name, tensor in whole.items() if name not in BASE}
    for tensors in (end, whole, trained, end | {name: learner.base[name] for name in learner.base}):
        start = initial_state(file_of(tensors, tmp_path), trainer())
        assert start.keys() == end.keys()
        assert all(torch.equal(start[name], end[name]) for name in end if name.startswith("model."))
    other = whole | {"base.weight": whole["base.weight"] + 1}
    with pytest.raises(TrainingError, match=r"holds another base\.weight than the job's model, which does not train"):
        initial_state(file_of(other, tmp_path), trainer())
    renamed = {name.replace("down.", "downs."): tensor for name, tensor in whole.items()}
    with pytest.raises(TrainingError, match=r"has no down\.weight \(nearest is downs\.weight\)"):
        initial_state(file_of(renamed, tmp_path), trainer())


def test_a_delivered_model_is_made_whole(tmp_path: Path) -> None:
    learner = trainer()
    for _ in range(3):
        learner.execute_step()
    samples = program("adapters").held_out_samples
    model = Adapted().eval()
    load_delivered(model, file_of(learner.checkpoint(), tmp_path))
    with torch.no_grad():
        assert torch.equal(model(samples), learner.network.logits(samples))
    for wrong, words in ((Adapted(rank=3), "other shapes"), (torch.nn.Linear(6, 2), r"has norm\.num|has .*does not")):
        with pytest.raises(TrainingError, match=words):
            load_delivered(wrong, tmp_path / "model.safetensors")
    with pytest.raises(TrainingError, match="cannot be read"):
        load_delivered(model, tmp_path / "none.safetensors")


@pytest.mark.parametrize("metric", ["update", "per_layer", "buffers", "optimizer", "logits", "output"])
def test_metrics_compare_what_travelled(metric: str, tmp_path: Path) -> None:
    start = trainer()
    models = []
    for number, steps in enumerate((0, 3, 4)):
        learner = trainer()
        for _ in range(steps):
            learner.execute_step()
        path = tmp_path / str(number)
        path.write_bytes(b"".join(bytes(piece) for piece in encode(learner.checkpoint(), learner.schema)))
        models.append(CheckpointModel(path, tmp_path / "0", start.schema, start.evaluator))
    made = create_plugin("metrics", metric, {})
    made.begin(program("adapters").metric_context(start.outline(), 1))
    again = made.represent(models[1])
    distances = made.compare([made.represent(models[1]), made.represent(models[2]), again]).distances
    assert distances[0][1] > 0
    assert distances[0][2] == 0


@pytest.mark.parametrize("options", [{"metric": "update"}, {"bound": 0.1}, {"metric": "output"}])
def test_an_adaptive_adversary_pulls_what_is_trained(options: dict[str, object]) -> None:
    faster = {"name": "hyperparameter", "learning_rate": 8.0}
    ours = program("adapters")
    client = ours.metric_context(trainer().outline(), 1)
    free = create_plugin("attacks", "hyperparameter", {"learning_rate": 8.0})
    pulled = create_plugin("attacks", "adaptive", {"attack": faster, **options})
    ends = []
    for attack in (None, free, pulled):
        learner = ours.learner(TRAINING, device=CPU, seed=5, attack=attack, client=client)
        learner.load(trainer().checkpoint())
        for _ in range(4):
            learner.execute_step()
        ends.append(learner.checkpoint())
    names = trainer().evaluator.parameters
    apart = [sum(float((end[name] - ends[0][name]).square().sum()) for name in names) for end in ends[1:]]
    assert apart[1] < apart[0]
