"""Sentences a second of fine-tuning with LoRA, against Hugging Face's `Trainer` and a loop of one's own.

The model, the sentences and the optimizer are those of `sample_jobs/lora.toml`. All take turns in one run, round by
round, and the ratio is that of the medians. What counts for `Trainer` is the time from its first step to the end of its
last; nothing is logged, evaluated or saved. A training of some steps comes before what is counted.

    python -m tests.bench.lora_speed [--threads 1] [--rounds 5] [--steps 4]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from auditor.job.job_file import load_job
from auditor.tasks.network_program import NetworkProgram
from tests.command import ROOT
from tests.tasks.loading import network_program

CPU = torch.device("cpu")
JOB = load_job(ROOT / "sample_jobs" / "lora.toml")
BATCH, RATE = JOB.training.batch_size, JOB.training.optimizer.lr
Steps = Callable[[int], float]
"""Executes so many steps; returns the seconds that they took."""


def own(program: NetworkProgram) -> Steps:
    """What a provider executes."""
    learner = program.learner(JOB.training, device=CPU, seed=1)

    def execute(count: int) -> float:
        begun = time.perf_counter()
        for _ in range(count):
            learner.execute_step()
        return time.perf_counter() - begun

    return execute


def expert(program: NetworkProgram) -> Steps:
    """All ids in memory, whole batches at a time, and an optimizer of what is trained."""
    model, data = fresh(program).train(), program.dataset
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], lr=RATE)

    def execute(count: int) -> float:
        begun = time.perf_counter()
        for _ in range(count):
            chosen = torch.randint(len(data.samples), (BATCH,))
            loss = F.cross_entropy(model(data.samples[chosen]), data.labels[chosen])
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimizer.step()
        return time.perf_counter() - begun

    return execute


def trainer(program: NetworkProgram) -> Steps:
    """Hugging Face's loop."""
    transformers: Any = import_module("transformers")  # nobody needs it for anything else here

    class Judged(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = fresh(program)

        def forward(self, ids: Tensor, labels: Tensor) -> dict[str, Tensor]:
            logits = self.model(ids)
            return {"loss": F.cross_entropy(logits, labels), "logits": logits}

    class Clock(transformers.TrainerCallback):  # type: ignore[misc]
        begun, ended = 0.0, 0.0

        def on_step_begin(self, arguments: Any, state: Any, control: Any, **others: Any) -> None:
            self.begun = self.begun or time.perf_counter()

        def on_step_end(self, arguments: Any, state: Any, control: Any, **others: Any) -> None:
            self.ended = time.perf_counter()

    model, data = Judged(), program.dataset
    rows = [{"ids": ids, "labels": label} for ids, label in zip(data.samples, data.labels, strict=True)]
    folder = tempfile.mkdtemp()

    def execute(count: int) -> float:
        arguments = transformers.TrainingArguments(
            output_dir=folder,
            max_steps=count,
            per_device_train_batch_size=BATCH,
            learning_rate=RATE,
            lr_scheduler_type="constant",
            max_grad_norm=0.0,
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            remove_unused_columns=False,
        )
        clock = Clock()
        transformers.Trainer(model=model, args=arguments, train_dataset=rows, callbacks=[clock]).train()
        return clock.ended - clock.begun

    return execute


def fresh(program: NetworkProgram) -> nn.Module:
    """The model before training."""
    return program.ingredients.network(CPU, 1).model


def main() -> None:
    """Print sentences a second of each loop, and its ratio to the expert's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    program = network_program(JOB.task, Path())
    loops = {"own": own(program), "expert": expert(program), "Trainer": trainer(program)}
    rates: dict[str, list[float]] = {name: [] for name in loops}
    for counted in range(arguments.rounds + 1):
        for name, execute in loops.items():
            seconds = execute(arguments.steps)
            if counted:  # the first round warms caches
                rates[name].append(BATCH * arguments.steps / seconds)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    for name, rate in medians.items():
        print(f"{name:10}{rate:9.1f} sentences/s ({rate / medians['expert']:.2f}×)", flush=True)


if __name__ == "__main__":
    main()
