"""What auditing itself costs: everything but training steps, against a bare PyTorch loop doing the same steps.

The bare loop trains the same model for as many steps, on one thread. `committed` is an audit that replicates
nothing: what it takes longer, from the first step asked for to the verdict, is hashing, committing, storing and
moving. `audited` replicates four sub-runs at a second provider, one thread each, and is compared with a bare loop
that executes those steps too, one after another; where there is a second core the replica trains beside the primary,
so that its ratio can be under 1 although comparing and judging are in it.

    python -m tests.bench.overhead [--steps 400] [--dataset digits] [--repetitions 3]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch.nn import functional as F

from auditor.audit.engine import run_audit
from auditor.job import Job, parse_job
from auditor.plugins import generator
from auditor.store import Store
from auditor.tasks.models import build_model
from tests.tasks.loading import load_dataset

JOB = """
name = "overhead"
[task]
dataset = "{dataset}"
[training]
steps = {steps}
[audit]
sub_run_steps = 20
fixed_selection = [{selection}]
benign_fraction = 1.0
metrics = ["update", "zest"]
[[providers]]
name = "a"
endpoint = "local:cpu"
primary = true
[[providers]]
name = "b"
endpoint = "local:cpu"
"""


def bare_loop(job: Job, steps: int) -> float:
    """Seconds that a plain training loop takes for so many steps."""
    torch.set_num_threads(1)
    dataset = load_dataset(job.task, Path())
    model = build_model(job.task.model_name, dataset.shape, dataset.classes, 0).to(memory_format=torch.channels_last)
    spec = job.training.optimizer
    optimizer = torch.optim.SGD(model.parameters(), lr=spec.lr, momentum=0.9, weight_decay=spec.weight_decay)
    order = torch.from_numpy(generator(0, "order").permutation(len(dataset.samples)))
    batches = len(order) // job.training.batch_size
    begun = time.perf_counter()
    for step in range(steps):
        chosen = order[step % batches * job.training.batch_size :][: job.training.batch_size]
        inputs = (dataset.samples[chosen].float() / 255 - 0.5).contiguous(memory_format=torch.channels_last)
        loss = F.cross_entropy(model(inputs), dataset.labels[chosen])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    return time.perf_counter() - begun


async def audited(job: Job, folder: Path) -> tuple[float, float]:
    """Seconds from the first step asked for to the verdict, and those that the metrics took of them."""
    begun = ended = comparing = 0.0
    with Store(folder) as store:
        run = store.create_run(job.name, job.model_dump_json(), "bench")
        async for entry in run_audit(run, job, store):
            if entry.record.kind == "primary_started":
                begun = time.perf_counter()
            if entry.record.kind == "distances_measured":
                comparing += float(entry.record.payload["seconds"])
            ended = time.perf_counter()
    return ended - begun, comparing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()
    sub_runs = arguments.steps // 20
    selection = ", ".join(str(index) for index in range(0, sub_runs, max(1, sub_runs // 4)))
    job = parse_job(JOB.format(dataset=arguments.dataset, steps=arguments.steps, selection=selection))
    alone = parse_job(JOB.format(dataset=arguments.dataset, steps=arguments.steps, selection=""))
    again = 20 * len(selection.split(","))
    print(f"{arguments.dataset}: {arguments.steps} steps and {again} again, k = 20, metrics update and zest")
    print(f"{'':4}{'bare':>9}{'committed':>11}{'ratio':>7}{'bare, again':>13}{'audited':>9}{'metrics':>9}{'ratio':>7}")
    ratios: list[tuple[float, float]] = []
    for repetition in range(arguments.repetitions):
        bare, more = bare_loop(job, arguments.steps), bare_loop(job, again)
        with tempfile.TemporaryDirectory() as folder:
            committed, _ = asyncio.run(audited(alone, Path(folder)))
        with tempfile.TemporaryDirectory() as folder:
            whole, comparing = asyncio.run(audited(job, Path(folder)))
        ratios.append((committed / bare, whole / (bare + more)))
        print(
            f"{repetition:<4}{bare:8.2f}s{committed:10.2f}s{ratios[-1][0]:7.2f}{bare + more:12.2f}s{whole:8.2f}s"
            f"{comparing:8.2f}s{ratios[-1][1]:7.2f}",
            flush=True,
        )
    medians = [statistics.median(column) for column in zip(*ratios, strict=True)]
    print(f"median ratios: committed {medians[0]:.2f}, audited {medians[1]:.2f}")


if __name__ == "__main__":
    main()
