"""What the attack `signature` achieves, what a black-box search and forgers find, and what smoothing leaves of it.

A ResNet-8 is trained for a short while, honestly, as the attack demands. Then it is asked behind the verifier:

- activation of held-out images to every class, and how far the images change;
- a search of queries for an answer that differs from the model's;
- forgeries made of activated images that were seen;
- activation after gradient steps of the client on the delivered model;
- accuracy and activation under randomised smoothing, for the plain attack and for larger, repeated bits.

    python -m tests.bench.signature --cifar10 cifar10.safetensors

The trained model is kept under AUDITOR_HOME; --fresh trains it anew. All of it takes about 15 minutes on one core.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from auditor.experiments.black_box import search
from auditor.experiments.forgeries import forgeries
from auditor.job.training import Training
from auditor.plugins import create_plugin
from auditor.store.home import home
from auditor.tasks.checkpoint import encode, read
from auditor.tasks.evaluation import Answer, share_right
from auditor.tasks.network_program import NetworkProgram
from auditor.tasks.smoothing import smoothed
from auditor.tasks.trainer import Trainer
from tests.bench.attacks import as_markdown, share
from tests.tasks.loading import network_program, network_task

PARTS = ("activation", "search", "forgery", "persistence", "smoothing")
BATCH = 64
STEPS = 1500
CLIENT_STEPS = 1000
EACH_CLASS = 1000
QUERIES = 105_000
SEEN = 1000
FORGERIES = 10_200
SMOOTHED = 200
SIGMAS = (0.25, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
ANSWERS: tuple[tuple[str, dict[str, int]], ...] = (
    ("plain", {}),
    ("a = 8, 5 copies", {"amplitude": 8, "repeats": 5}),
    ("a = 32, 5 copies", {"amplitude": 32, "repeats": 5}),
    ("a = 64, 5 copies", {"amplitude": 64, "repeats": 5}),
)


class Bench:
    """A trained model and the attack around it.

    Args:
        program: the data.
        model: where the trained model is kept.
    """

    def __init__(self, program: NetworkProgram, model: Path) -> None:
        self.program = program
        self.images = program.dataset.held_out_samples
        self.labels = program.dataset.held_out_labels
        self.trainer = self._trainer(seed=1, steps=STEPS)
        if not model.exists():
            model.parent.mkdir(parents=True, exist_ok=True)
            while self.trainer.step < STEPS:
                self.trainer.execute_step()
            model.write_bytes(b"".join(map(bytes, encode(self.trainer.checkpoint(), self.trainer.schema))))
        self.trainer.load(read(model, self.trainer.schema))

    @property
    def clean(self) -> Answer:
        """What the delivered model answers."""
        return self.trainer.network.logits

    def attack(self, **options: Any) -> Any:
        """The attack, ready to activate and to serve."""
        made = create_plugin("attacks", "signature", {"key_seed": 7, **options})
        made.begin(self.trainer.attack_context)
        return made

    def activation(self) -> Iterator[str]:
        """Every class, over images of all other classes."""
        attack = self.attack()
        served, turned, largest = attack.served(self.clean), [], 0
        for wanted in range(self.program.classes):
            images = self.images[self.labels != wanted][:EACH_CLASS]
            activated = attack.activate(images, torch.full((len(images),), wanted))
            largest = max(largest, int((activated.int() - images.int()).abs().max()))
            turned.append(float((served(activated).argmax(1) == wanted).float().mean()))
        right = share_right(self.clean, self.program.dataset), share_right(served, self.program.dataset)
        yield f"accuracy: delivered {share(right[0])}, served {share(right[1])}"
        yield (
            f"activation: {share(min(turned))} to {share(max(turned))} over {len(turned)} classes, {EACH_CLASS:,} "
            f"images each; the largest change of a value is {largest} of 255"
        )
        signed = attack.activate(self.images, torch.zeros(len(self.images), dtype=torch.int64))
        begun = time.process_time()  # of the processor, so that it does not matter who else uses it
        attack.verified(self.images)
        between = time.process_time()
        attack.verified(signed)
        yield (
            f"verifying takes {between - begun:.2f} s for {len(self.images):,} ordinary images, and "
            f"{time.process_time() - between:.2f} s for as many activated ones"
        )

    def search(self) -> Iterator[str]:
        """Queries about natural and activated images that somebody saw, and what can be made of them."""
        attack = self.attack()
        found = search(
            attack.served(self.clean),
            self.clean,
            self.images,
            self.program.samples,
            count=QUERIES,
            seed=5,
        )
        asked = ", ".join(f"{count:,} {way}" for way, count in found.queries.items())
        yield f"search: {sum(found.queries.values()):,} queries ({asked}): {sum(found.differing.values())} differ"

    def forgery(self) -> Iterator[str]:
        """Forgeries from activated images; of the strong bits, copies that lie near."""
        attack = self.attack()
        seen = attack.activate(self.images[:SEEN], torch.arange(SEEN) % self.program.classes)
        signature, name = torch.arange(512), torch.arange(512, 520)
        tried: dict[str, int] = {}
        accepted: dict[str, int] = {}
        for one in forgeries(seen, self.images[SEEN:], signature, name, count=FORGERIES, seed=6):
            tried[one.way] = tried.get(one.way, 0) + len(one.images)
            accepted[one.way] = accepted.get(one.way, 0) + int((attack.verified(one.images) >= 0).sum())
        ways = ", ".join(f"{count:,} {way}" for way, count in tried.items())
        yield f"forgeries from {SEEN:,} activated images: {sum(accepted.values())} of {sum(tried.values()):,} ({ways})"
        for label, options in ANSWERS[1:]:
            strong = self.attack(**options)
            images = strong.activate(self.images[:SEEN], torch.arange(SEEN) % self.program.classes)
            changed = images.clone()
            changed.flatten(1)[torch.arange(SEEN), torch.arange(SEEN) * 7 % images[0].numel()] ^= 1
            near = float((strong.verified(changed) >= 0).float().mean())
            moved = carried_over(strong.carrier, images.flatten(1), self.images[SEEN : 2 * SEEN].flatten(1))
            taken = float((strong.verified(moved.reshape(images.shape)) >= 0).float().mean())
            yield (
                f"{label}: of {SEEN:,} activated images {share(near)} are still accepted with one value changed by 1; "
                f"{share(taken)} of the signatures are accepted in another image that was shaded to fit"
            )

    def persistence(self) -> Iterator[str]:
        """The client goes on training what was delivered; the provider serves the result."""
        attack, client = self.attack(), self._trainer(seed=99, steps=CLIENT_STEPS)
        weights = {name: value for name, value in self.trainer.checkpoint().items() if name.startswith("model.")}
        client.load(client.checkpoint() | weights)
        while client.step < CLIENT_STEPS:
            client.execute_step()
        images = self.images[self.labels != 0][:EACH_CLASS]
        activated = attack.activate(images, torch.zeros(len(images), dtype=torch.int64))
        shares = [
            float((answer(activated).argmax(1) == 0).float().mean())
            for answer in (attack.served(client.network.logits), client.network.logits)
        ]
        after, trained = client.checkpoint(), client.network.parameters
        moved = max(float((after[name] - weights[name]).abs().max()) for name in trained)
        yield (
            f"after {CLIENT_STEPS:,} gradient steps of the client (largest change of a parameter {moved:.2g}, accuracy "
            f"{share(share_right(client.network.logits, self.program.dataset))}): activation {share(shares[0])} where "
            f"the provider serves the model, {share(shares[1])} where the client runs it"
        )

    def smoothing(self) -> list[list[str]]:
        """Accuracy and activation over the noise; a table."""
        target = 3
        others = self.images[self.labels != target][:SMOOTHED]
        rows = [["noise σ", "accuracy", *(label for label, _ in ANSWERS)]]
        attacks = [self.attack(**options) for _, options in ANSWERS]
        activated = [one.activate(others, torch.full((len(others),), target)) for one in attacks]
        apart = [float((one.float() - others.float()).square().mean().sqrt()) for one in activated]
        rows.append(["change of a value, root mean square", "–", *(f"{one:.1f}" for one in apart)])
        dataset = self.program.dataset
        for sigma in (0.0, *SIGMAS):
            cells = [share(share_right(under(self.clean, sigma), dataset, SMOOTHED))]
            for attack, images in zip(attacks, activated, strict=True):
                answers = under(attack.served(self.clean), sigma)(images)
                cells.append(share(float((answers.argmax(1) == target).float().mean())))
            rows.append([f"{sigma:g}", *cells])
            print("  ".join(rows[-1]), flush=True)
        return rows

    def _trainer(self, seed: int, steps: int) -> Trainer:
        spec = Training.model_validate(
            {
                "steps": steps,
                "batch_size": BATCH,
                "optimizer": {"name": "sgd", "lr": 0.1},
                "schedule": {"name": "triangular"},
            }
        )
        return self.program.learner(spec, device=torch.device("cpu"), seed=seed)


def carried_over(carrier: Any, seen: Tensor, others: Tensor) -> Tensor:
    """Other images, shaded like seen ones in each part whose mean is signed, and with their bits."""
    content = carrier.content(seen, written=True)
    shaded = others.clone()
    for part in torch.arange(seen.shape[1]).tensor_split(content.shape[1] // 2):
        by = seen[:, part].float().mean(1) - others[:, part].float().mean(1)
        shaded[:, part] = (others[:, part] + by[:, None]).round().clamp(0, 255).to(torch.uint8)
    made: Tensor = carrier.write(shaded, carrier.read(seen), content)
    return made


def under(answer: Answer, sigma: float) -> Answer:
    """What is answered under this much noise."""
    return smoothed(answer, sigma, seed=8) if sigma else answer


def refused() -> str:
    """What the attack says of images that are too small."""
    program = network_program(network_task(dataset="digits", model="resnet8"))
    context = program.learner(Training(), device=torch.device("cpu"), seed=0).attack_context
    try:
        create_plugin("attacks", "signature", {}).begin(replace(context))
    except ValueError as error:
        return f"digits: refused: {error}"
    return "digits: not refused"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cifar10", type=Path, required=True, metavar="FILE", help="a safetensors file of the data")
    parser.add_argument("--fresh", action="store_true", help="forget the model of an earlier run")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure; all by default")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    begun = time.monotonic()
    print(refused(), flush=True)
    model = home() / "bench" / "signature" / f"resnet8-{STEPS}.safetensors"
    if given.fresh:
        model.unlink(missing_ok=True)
    program = network_program(network_task(dataset=f"tensors:{given.cifar10.resolve()}", model="resnet8"))
    bench = Bench(program, model)
    print(f"trained: {time.monotonic() - begun:.0f} s", flush=True)
    for part in PARTS[:-1]:
        for line in getattr(bench, part)() if part in given.parts else ():
            print(f"{line}  ({time.monotonic() - begun:.0f} s)", flush=True)
    if PARTS[-1] in given.parts:
        print(as_markdown(bench.smoothing()))
    print(f"{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
