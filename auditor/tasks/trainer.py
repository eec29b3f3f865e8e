"""Executing steps of gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from auditor.base.randomness import generator, key
from auditor.job.network_task import NetworkTask
from auditor.job.training import Training as TrainingSpec
from auditor.plugins.attack import Attack, AttackContext, Batch, Recipe
from auditor.plugins.metric import MetricContext, ModelOutline
from auditor.tasks.data.augmentation import augment
from auditor.tasks.data.batches import BatchOrder
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.layers import layers
from auditor.tasks.learner import Learner
from auditor.tasks.network import Network
from auditor.tasks.network_variation import vary
from auditor.tasks.numerics import autocast, configure
from auditor.tasks.optimization import learning_rate, make_optimizer, optimizer_tensors
from auditor.tasks.variation import Variation

FEW = 8
"""Samples that are enough to see what a model puts out."""


class Trainer(Learner):
    """Trains a neural network by gradient descent on batches of labelled samples.

    Args:
        task: what is trained.
        spec: how.
        dataset: what it is trained on.
        device: where.
        seed: of every random draw.
        attack: the adversary to simulate, if any.
        sub_run_steps: k, which attacks may want to know.
        client: the context of the client's metrics, for attacks that are assumed to know it.

    Attributes:
        network: the model that is trained.
    """

    def __init__(
        self,
        task: NetworkTask,
        spec: TrainingSpec,
        dataset: Dataset,
        *,
        device: torch.device,
        seed: int,
        attack: Attack | None = None,
        sub_run_steps: int = 1,
        client: MetricContext | None = None,
    ) -> None:
        super().__init__(attack)
        configure(spec.precision)
        self._spec = spec
        self._seed = seed
        self._device = device
        self.network = Network(task, dataset, device, seed)
        self._optimizer = make_optimizer(self.network.model, spec.optimizer)
        self._samples = dataset.samples.to(device)
        self._labels = dataset.labels.to(device)
        self._order = BatchOrder(len(dataset.samples), spec.batch_size, seed, device)
        self._weights = torch.ones(spec.batch_size, device=device)
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
            akin=task.akin,
        )
        self.attack.begin(self.attack_context)

    @property
    def evaluator(self) -> Network:
        """See `Learner`."""
        return self.network

    @property
    def epoch_steps(self) -> int:
        """How many steps an epoch has."""
        return self._order.epoch_steps

    def train(self, step: int) -> Tensor:
        """See `Learner`."""
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

    @property
    def constants(self) -> tuple[str, ...]:
        """See `Learner`; the model names them without the prefix."""
        return tuple(f"model.{name}" for name in getattr(self.network.model, "constants", ()))

    def outputs(self) -> Tensor:
        """See `Learner`."""
        return self.network.logits(self.batch(0).inputs[:FEW])

    def outline(self) -> ModelOutline:
        """See `Learner`; layers are found by one pass over a few samples."""
        samples = self.batch(0).inputs[:FEW]
        return replace(super().outline(), layers=layers(self.network, samples))

    def varied(self, variation: Variation, precision: str) -> AbstractContextManager[None]:
        """See `Learner`."""
        return vary(self.network.model, variation, precision)

    def count_skipped(self) -> None:
        """See `Learner`. Normalisation layers and Adam count steps, and the client checks their counts."""
        for name, tensor in self.state().items():
            if name.endswith((".num_batches_tracked", ".step")):
                tensor.add_(1)

    def state(self) -> dict[str, Tensor]:
        """See `Learner`."""
        return self.network.tensors() | optimizer_tensors(self._optimizer, self.network.model)

    def take(self, state: Mapping[str, Tensor]) -> None:
        """See `Learner`."""
        self.network.load(state)
        for name, tensor in optimizer_tensors(self._optimizer, self.network.model).items():
            tensor.copy_(state[name])

    def _recipe(self, step: int) -> Recipe:
        spec = self._spec
        return Recipe(learning_rate(spec, step), spec.optimizer.weight_decay, spec.augment, spec.precision)
