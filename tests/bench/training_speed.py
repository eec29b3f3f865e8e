"""Images a second of a provider's training, against the loops that people write themselves.

Random images of 32×32 pixels, crop and flip, SGD with momentum, batches of 64, one thread. The usual loop is a
DataLoader with torchvision's transforms for each image. The expert's loop keeps all images in memory as bytes, cuts and
mirrors whole batches, and computes in the layout channels last. `vision` is auditor's own kind of task; `python` trains
the same model as a client's own code would bring it. All take turns in one run, round by round, and the ratio is that
of the medians. What takes most of the time with small models is what surrounds them, so that ResNet-8 shows it best.

    python -m tests.bench.training_speed [--models resnet8 torchvision:resnet18] [--precisions fp32 bf16] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from auditor.job.python_task import PythonTask
from auditor.job.training import Training
from auditor.tasks.data.augmentation import augment
from auditor.tasks.learner import Learner
from auditor.tasks.models import build_model
from auditor.tasks.numerics import autocast
from auditor.tasks.own.workload import Workload
from tests.tasks.loading import network_program, network_task

BATCH, SIDE, IMAGES = 64, 32, 2048
CPU = torch.device("cpu")
MEAN, DEVIATION = 0.5, 0.29
Step = Callable[[], object]


def images() -> tuple[Tensor, Tensor]:
    """Random images, uint8 [N, 3, 32, 32], and labels of ten classes."""
    draws = torch.Generator().manual_seed(1)
    pixels = torch.randint(256, (IMAGES, 3, SIDE, SIDE), generator=draws, dtype=torch.uint8)
    return pixels, torch.randint(10, (IMAGES,), generator=draws)


class Pictures(Dataset[tuple[Tensor, int]]):
    """The images as torchvision's datasets give them: one at a time, each through its transforms."""

    def __init__(self) -> None:
        pixels, self.labels = images()
        self.pictures = [transforms.functional.to_pil_image(one) for one in pixels]
        self.change = transforms.Compose(
            [
                transforms.RandomCrop(SIDE, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize((MEAN,) * 3, (DEVIATION,) * 3),
            ]
        )

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.change(self.pictures[index]), int(self.labels[index])


def descend(model: nn.Module, optimizer: torch.optim.Optimizer, inputs: Tensor, labels: Tensor, precision: str) -> None:
    """One step, as everybody writes it."""
    with autocast(precision, CPU):
        loss = F.cross_entropy(model(inputs).float(), labels)
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    optimizer.step()


def optimizer_of(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)


def usual(name: str, precision: str) -> Step:
    """A DataLoader in the training process, and torchvision's transforms."""
    model = build_model(name, (3, SIDE, SIDE), 10, 1).train()
    optimizer, data = optimizer_of(model), Pictures()

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield from DataLoader(data, batch_size=BATCH, shuffle=True, drop_last=True)

    endless = batches()
    return lambda: descend(model, optimizer, *next(endless), precision)


def expert(name: str, precision: str) -> Step:
    """All images in memory as bytes, whole batches at a time, channels last."""
    model = build_model(name, (3, SIDE, SIDE), 10, 1).to(memory_format=torch.channels_last).train()
    optimizer, (pixels, labels), draws = optimizer_of(model), images(), np.random.default_rng(1)

    def step() -> None:
        chosen = torch.from_numpy(draws.integers(0, len(pixels), BATCH))
        changed = augment(pixels[chosen], ("crop", "flip"), draws)
        inputs = changed.float().sub_(255 * MEAN).div_(255 * DEVIATION).contiguous(memory_format=torch.channels_last)
        descend(model, optimizer, inputs, labels[chosen], precision)

    return step


def vision(name: str, precision: str) -> Step:
    """Auditor's own kind of task."""
    with tempfile.TemporaryDirectory() as folder:
        pixels, labels = images()
        path = Path(folder) / "images.safetensors"
        save_file({"images": pixels, "labels": labels}, path)
        program = network_program(network_task(dataset=f"tensors:{path}", model=name))
    training = Training.model_validate({"batch_size": BATCH, "augment": ("crop", "flip"), "precision": precision})
    return stepping(program.learner(training, device=CPU, seed=1))


def workload(name: str) -> Workload:
    """The same model as a client's own code brings it; crops and flips are in what the usual loop does to images."""
    change = transforms.Compose([transforms.RandomCrop(SIDE, padding=4), transforms.RandomHorizontalFlip()])
    return Workload(
        model=lambda: build_model(name, (3, SIDE, SIDE), 10, 1).to(memory_format=torch.channels_last),
        training=images(),
        augment=change,
        prepare=lambda pixels: (pixels.float() / 255 - MEAN) / DEVIATION,
    )


def python(name: str, precision: str) -> Step:
    """A client's own code."""
    task = PythonTask(module="tests.bench.training_speed", factory="workload", options={"name": name})
    training = Training.model_validate({"batch_size": BATCH, "precision": precision})
    return stepping(network_program(task).learner(training, device=CPU, seed=1))


def stepping(learner: Learner) -> Step:
    return learner.execute_step


LOOPS: dict[str, Callable[[str, str], Step]] = {"usual": usual, "expert": expert, "vision": vision, "python": python}


def main() -> None:
    """Print images a second of each loop, and its ratio to the expert's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["resnet8", "torchvision:resnet18"])
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=8)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'model':22}{'precision':10}" + "".join(f"{name:>18}" for name in LOOPS))
    for model in arguments.models:
        for precision in arguments.precisions:
            steps = {name: make(model, precision) for name, make in LOOPS.items()}
            rates: dict[str, list[float]] = {name: [] for name in steps}
            for counted in range(arguments.rounds + 1):
                for name, step in steps.items():
                    begun = time.perf_counter()
                    for _ in range(arguments.steps):
                        step()
                    if counted:  # the first round warms caches
                        rates[name].append(BATCH * arguments.steps / (time.perf_counter() - begun))
            medians = {name: statistics.median(found) for name, found in rates.items()}
            cells = (f"{one:9,.0f} ({one / medians['expert']:.2f}×)".rjust(18) for one in medians.values())
            print(f"{model:22}{precision:10}" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
