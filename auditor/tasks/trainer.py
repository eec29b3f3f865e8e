"""Executing training steps: the one loop that every provider runs, honest or not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from auditor.base.randomness import generator, key
from auditor.job.task import Task
from auditor.job.training import Training as TrainingSpec
from auditor.plugins.attack import Attack, AttackContext, Batch, Recipe
from auditor.plugins.metric import MetricContext
from auditor.tasks.checkpoint import Schema
from auditor.tasks.data import Dataset
from auditor.tasks.data.augmentation import augment
from auditor.tasks.data.batches import BatchOrder
from auditor.tasks.network import Network
from auditor.tasks.numerics import autocast, configure
from auditor.tasks.optimization import learning_rate, make_optimizer, optimizer_tensors

STEP = "step"
"""The name of the step count in a checkpoint, int64 []."""


class Trainer:
    """Executes steps of a job from any checkpoint.

    A step depends on the checkpoint, the seed and its own number, and on nothing else: neither on steps that
    this object executed before nor on global random state.

    Args:
        task: what is trained.
        spec: how.
        dataset: what it is trained on.
        device: where.
        seed: of every random draw.
        attack: the adversary to simulate, if any.
        sub_run_steps: k, which attacks may want to know.
        client: what the client's metrics are told, for attacks that are assumed to know it.

    Attributes:
        network: the model that is trained.
        attack: the adversary, or one that never deviates.
        attack_context: what an attack is told here.
    """

    def __init__(
        self,
        task: Task,
        spec: TrainingSpec,
        dataset: Dataset,
        *,
        device: torch.device,
        seed: int,
        attack: Attack | None = None,
        sub_run_steps: int = 1,
        client: MetricContext | None = None,
    ) -> None:
        configure(spec.precision)
        self._spec = spec
        self._seed = seed
        self._device = device
        self.attack = attack or Attack(Attack.Options())
        self.network = Network(task, dataset, device, seed)
        self._optimizer = make_optimizer(self.network.model, spec.optimizer)
        self._samples = dataset.samples.to(device)
        self._labels = dataset.labels.to(device)
        self._order = BatchOrder(len(dataset.samples), spec.batch_size, seed, device)
        self._weights = torch.ones(spec.batch_size, device=device)
        self._step = 0
        self.attack_context = AttackContext(
            task=task.kind,
            classes=dataset.classes,
            sample_shape=dataset.shape,
            samples=len(dataset.samples),
            sub_run_steps=sub_run_steps,
            device=device,
            network=self.network,
            honest_twin=lambda: Trainer(task, spec, dataset, device=device, seed=seed, sub_run_steps=sub_run_steps),
            client=client,
            tokenizer=dataset.tokenizer,
        )
        self.attack.begin(self.attack_context)

    @property
    def step(self) -> int:
        """How many steps of the job the present state is the result of."""
        return self._step

    @property
    def epoch_steps(self) -> int:
        """How many steps an epoch has."""
        return self._order.epoch_steps

    @cached_property
    def schema(self) -> Schema:
        """The schema of this job's checkpoints."""
        return Schema.of(self._state())

    def load(self, checkpoint: Mapping[str, Tensor]) -> None:
        """Start a sub-run from a checkpoint, which must follow `schema`."""
        self._step = int(checkpoint[STEP])
        self._take(self.attack.on_initial(dict(checkpoint), self._step))

    def checkpoint(self) -> dict[str, Tensor]:
        """End a sub-run and start the next from its end.

        Returns the state at the boundary, copied to the CPU: parameters, buffers, optimizer state and the step.
        """
        state = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in self._state().items()}
        committed = self.attack.on_checkpoint(state, self._step)
        if committed is not state:
            # Whoever replicates the next sub-run starts from what was committed to, and so does this execution.
            self._take(committed)
        given = dict(committed)
        if (started := self.attack.on_initial(given, self._step)) is not given:
            self._take(started)
        return committed

    def execute_step(self) -> Tensor:
        """Execute the next step; returns its mean loss, on the device."""
        step = self._step
        self._step += 1
        if self.attack.skips(step):
            self._count()
            return torch.zeros((), device=self._device)
        recipe = self.attack.on_recipe(self._recipe(step), step)
        batch = self.attack.on_batch(self.batch(step), step)
        inputs = self.network.prepare(augment(batch.inputs, recipe.augment, generator(self._seed, "augment", step)))
        # Dropout and the like draw from PyTorch's own state, so each step sets it from the key.
        torch.manual_seed(key(self._seed, "model", step) % 2**63)
        model = self.network.model
        model.train()
        with autocast(recipe.precision, self._device):
            losses = F.cross_entropy(model(inputs).float(), batch.labels, reduction="none")
        loss = (self.attack.on_loss(losses, batch, step) * batch.weights).mean()
        for group in self._optimizer.param_groups:
            group["lr"], group["weight_decay"] = recipe.learning_rate, recipe.weight_decay
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self._optimizer.step()
        self.attack.on_update(model, step)
        return loss.detach()

    def batch(self, step: int) -> Batch:
        """What an honest provider trains on at `step`, before augmentation."""
        indices = self._order.indices(step)
        return Batch(self._samples[indices], self._labels[indices], indices, self._weights)

    def _count(self) -> None:
        """Count a step that was skipped as if it had been done, as whoever claims it would: the client counts."""
        for name, tensor in self._state().items():
            if name != STEP and name.endswith((".num_batches_tracked", ".step")):
                tensor.add_(1)

    def _take(self, state: Mapping[str, Tensor]) -> None:
        self.network.load(state)
        for name, tensor in optimizer_tensors(self._optimizer, self.network.model).items():
            tensor.copy_(state[name])

    def _recipe(self, step: int) -> Recipe:
        spec = self._spec
        return Recipe(learning_rate(spec, step), spec.optimizer.weight_decay, spec.augment, spec.precision)

    def _state(self) -> dict[str, Tensor]:
        return (
            self.network.tensors()
            | optimizer_tensors(self._optimizer, self.network.model)
            | {STEP: torch.tensor(self._step)}
        )
