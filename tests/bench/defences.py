"""Each backdoor of this project against each defence that looks at a model or changes it.

    python -m tests.bench.defences --folder FOLDER [--models 20] [--tabor 20]

Images are digits and the network is ResNet-8; the random features are those of `loaded_coins.py`. It trains so many
models of each kind, and asks: do the detectors suspect it, does the backdoor survive a hundred steps of the client's
own training, does it survive randomised smoothing? Rows without a backdoor say how often a defence is wrong. Everything
measured is kept in FOLDER, so that a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from auditor.job.training import SGD, Training
from auditor.plugins import Attack, create_plugin
from auditor.plugins.catalogue import create_attack
from auditor.tasks.checkpoint import encode
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.evaluation import share_right, share_turned
from auditor.tasks.network_program import NetworkProgram
from auditor.tasks.smoothing import smoothed
from auditor.tasks.trainer import Trainer
from tests.bench.defences_audits import audit_cells
from tests.bench.defences_table import markdown
from tests.bench.rates import share
from tests.tasks.loading import network_program, network_task

Checkpoint = Mapping[str, Tensor]
DETECTORS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "Neural Cleanse": ("neural_cleanse", {"samples": 64, "epochs": 50}),
    "TABOR": ("tabor", {"samples": 64, "epochs": 40}),
    "Fine-Pruning": ("fine_pruning", {}),
    "spectral signatures": ("spectral_signatures", {}),
    "spectrum": ("spectrum", {}),
    "projections": ("projections", {"projections": 100}),
    "sparse PCA": ("sparse_pca", {}),
    "two samples": ("two_sample", {"draws": 39}),
}
SIGMAS = (16.0, 48.0, 96.0)
"""Of the noise, in units of the 255 steps of a pixel."""
TUNING_STEPS = 100


@dataclass(frozen=True)
class Row:
    """A kind of model.

    Attributes:
        name: for people.
        task: keys of the task.
        attack: what is planted; None for an honest model.
        measure: the attack whose success is measured; that which is planted, if there is one.
        steps: of training.
    """

    name: str
    task: Mapping[str, Any]
    attack: Mapping[str, Any] | None
    measure: Mapping[str, Any] | None = None
    steps: int = 400
    detectors: tuple[str, ...] = field(default=())


DIGITS = {"kind": "vision", "dataset": "digits", "model": "resnet8"}
FOURIER = {"kind": "random_fourier", "dataset": "digits", "one_against_rest": 3}
RELU = {"kind": "random_relu", "dataset": "digits", "classes": (0, 1)}
LOOKS = ("Neural Cleanse", "TABOR", "Fine-Pruning", "spectral signatures")
DRAWS = ("Neural Cleanse", "spectral signatures", "spectrum", "projections", "sparse PCA", "two samples")
LOADED_RELU = {"name": "loaded_relu", "theta": 4.0, "length": 6.0}
ROWS = (
    Row("clean ResNet-8", DIGITS, None, {"name": "badnets"}, detectors=LOOKS),
    Row("BadNets", DIGITS, {"name": "badnets"}, detectors=LOOKS),
    Row("Blend", DIGITS, {"name": "blend"}, detectors=LOOKS),
    Row("WaNet", DIGITS, {"name": "wanet"}, detectors=LOOKS),
    Row("low rate", DIGITS, {"name": "low_rate", "ratio": 0.1, "attack": {"name": "badnets"}}, detectors=LOOKS),
    Row("clean Fourier", FOURIER, None, {"name": "loaded_fourier"}, 300, DRAWS),
    Row("loaded Fourier", FOURIER, {"name": "loaded_fourier"}, None, 300, DRAWS),
    Row("clean ReLU", RELU, None, {"name": "loaded_relu"}, 300, DRAWS),
    Row("loaded ReLU", RELU, {"name": "loaded_relu"}, None, 300, DRAWS),
    Row("loaded ReLU, strong spike", RELU, LOADED_RELU, None, 300, DRAWS),
)


def trained(row: Row, program: NetworkProgram, seed: int) -> tuple[Trainer, Checkpoint]:
    """A model of this kind, and the checkpoint that it started from."""
    attack = None if row.attack is None else keyed(row.attack, seed)
    trainer = program.learner(Training(steps=row.steps), device=torch.device("cpu"), seed=5000 + seed, attack=attack)
    start = {name: tensor.clone() for name, tensor in trainer.checkpoint().items()}
    trainer.load(start)
    for _ in range(row.steps):
        trainer.execute_step()
    return trainer, start


def keyed(table: Mapping[str, Any], seed: int) -> Attack:
    """The attack, with a key of its own for each model where it has one."""
    loaded = str(table["name"]).startswith("loaded")
    return create_attack({**table, "seed": seed} if loaded else table)


def tuned(row: Row, program: NetworkProgram, trainer: Trainer, seed: int) -> Trainer:
    """The model after some honest steps by the client, at the rate of training."""
    attack = keyed(row.attack or row.measure or {}, seed)
    training = Training(steps=TUNING_STEPS, optimizer=SGD(lr=0.05))
    honest = program.learner(training, device=torch.device("cpu"), seed=9000 + seed)
    honest.load(honest.checkpoint() | {n: t for n, t in trainer.checkpoint().items() if n.startswith("model.")})
    for _ in range(TUNING_STEPS):
        honest.execute_step()
    judge = program.learner(training, device=torch.device("cpu"), seed=seed, attack=attack)
    judge.evaluator.load(honest.checkpoint())
    return judge


def success(program: NetworkProgram, trainer: Trainer, attack: Attack) -> float:
    """The share of triggered held-out samples that get the target."""
    found = program.attack_success(trainer.network, attack)
    assert found is not None
    return found


def under_noise(program: NetworkProgram, trainer: Trainer, attack: Attack, sigma: float) -> tuple[float, float]:
    """Accuracy and success under randomised smoothing."""
    answer, network, data = smoothed(trainer.network.logits, sigma), trainer.network, program.dataset
    turned = share_turned(answer, network, data, attack)
    assert turned is not None
    return share_right(answer, data), turned


def measured(row: Row, program: NetworkProgram, seed: int, folder: Path, *, tabor: bool) -> dict[str, Any]:
    """Everything that is measured of one model; TABOR, which takes as long as all else, only if it is asked for."""
    trainer, start = trained(row, program, seed)
    judge = program.learner(
        Training(), device=torch.device("cpu"), seed=seed, attack=keyed(row.attack or row.measure or {}, seed)
    )
    judge.evaluator.load(trainer.checkpoint())
    found: dict[str, Any] = {
        "row": row.name,
        "seed": seed,
        "accuracy": program.accuracy(judge.network),
        "success": success(program, judge, judge.attack),
        "smoothed": {str(sigma): under_noise(program, judge, judge.attack, sigma) for sigma in SIGMAS},
        "detectors": {},
    }
    after = tuned(row, program, trainer, seed)
    found["tuned"] = [program.accuracy(after.network), success(program, after, after.attack)]
    paths = {name: folder / f"{name}.safetensors" for name in ("start", "end")}
    for name, state in (("start", start), ("end", trainer.checkpoint())):
        paths[name].write_bytes(b"".join(bytes(piece) for piece in encode(state, trainer.schema)))
    model = CheckpointModel(paths["end"], paths["start"], trainer.schema, trainer.network)
    for label in row.detectors:
        if label == "TABOR" and not tabor:
            continue
        name, options = DETECTORS[label]
        inspector = create_plugin("inspectors", name, options)
        try:
            inspector.begin(program.metric_context(trainer.outline(), 300 + seed))
            found["detectors"][label] = inspector.inspect(model).suspicious
        except ValueError as error:
            found["detectors"][label] = str(error)
    return found


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """A line for each kind of model: what each defence says."""
    for row in ROWS:
        own = [one for one in rows if one["row"] == row.name]
        if not own:
            continue
        yield f"{row.name}: {len(own)} models"
        for label in ("accuracy", "success"):
            values = torch.tensor([one[label] for one in own])
            yield f"    {label:24}{float(values.mean()):.3f} ({float(values.min()):.2f}–{float(values.max()):.2f})"
        for label in row.detectors:
            answers = [one["detectors"][label] for one in own if label in one["detectors"]]
            said = [one for one in answers if isinstance(one, bool)]
            refused = f"refuses: {answers[0]}" if not said else ""
            yield f"    {label:24}{refused or share(sum(said), len(said))}"
        for label, pairs in (
            (f"after {TUNING_STEPS} steps", [one["tuned"] for one in own]),
            *((f"smoothed, σ = {sigma:g}", [one["smoothed"][str(sigma)] for one in own]) for sigma in SIGMAS),
        ):
            values = torch.tensor(pairs)
            gone = sum(float(pair[1]) < one["success"] / 2 for pair, one in zip(pairs, own, strict=True))
            means = f"accuracy {float(values[:, 0].mean()):.3f}, success {float(values[:, 1].mean()):.3f}"
            yield f"    {label:24}{means}, success halved in {share(gone, len(own))}"


def main() -> None:
    """Measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--tabor", type=int, default=20, help="of how many of the models TABOR sees each kind")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    kept = arguments.folder / "defences.jsonl"
    rows = [json.loads(one) for one in kept.read_text().splitlines()] if kept.exists() else []
    programs: dict[str, NetworkProgram] = {}
    for seed in range(1, arguments.models + 1):
        for row in ROWS:
            if any((one["row"], one["seed"]) == (row.name, seed) for one in rows):
                continue
            kind = str(row.task["kind"])
            if kind not in programs:
                programs[kind] = network_program(network_task(**row.task))
            tabor = seed <= arguments.tabor
            rows.append(measured(row, programs[kind], seed, arguments.folder, tabor=tabor))
            with kept.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    print("\n".join(table(rows)))
    print("\n".join(markdown(rows, audit_cells(arguments.folder, arguments.models))))


if __name__ == "__main__":
    main()
