"""Executing steps of gradient descent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

import torch
from torch import Tensor

from auditor.base.randomness import generator, key
from auditor.job.training import Training as TrainingSpec
from auditor.plugins.attack import Attack, AttackContext, Batch, Recipe
from auditor.plugins.metric import MetricContext, ModelOutline
from auditor.tasks.checkpoint import MODEL
from auditor.tasks.data.batches import BatchOrder
from auditor.tasks.ingredients import Ingredients
from auditor.tasks.layers import layers
from auditor.tasks.learner import Learner
from auditor.tasks.network import Network
from auditor.tasks.network_variation import vary
from auditor.tasks.numerics import autocast, configure
from auditor.tasks.variation import Variation

FEW = 8
"""Samples that are enough to see what a model puts out."""


class Trainer(Learner):
    """Trains a neural network by gradient descent on batches of labelled samples.

    Args:
        ingredients: what is trained, on what.
        spec: how.
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
        ingredients: Ingredients,
        spec: TrainingSpec,
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
        self._deviates = attack is not None
        self._device = device
        self._ingredients, dataset = ingredients, ingredients.dataset
        self.network = ingredients.network(device, seed)
        if not self._deviates:
            self.network.share_base()
        self._descent = ingredients.descent(self.network.model, spec)
        self._samples = dataset.samples.to(device)
        self._labels = dataset.labels.to(device)
        self._order = BatchOrder(len(dataset.samples), spec.batch_size, seed, device)
        self._weights = torch.ones(spec.batch_size, device=device)
        self.attack_context = AttackContext(
            task=ingredients.kind,
            classes=dataset.classes,
            sample_shape=dataset.shape,
            samples=len(dataset.samples),
            sub_run_steps=sub_run_steps,
            device=device,
            network=self.network,
            honest_twin=lambda: Trainer(ingredients, spec, device=device, seed=seed, sub_run_steps=sub_run_steps),
            client=client,
            tokenizer=dataset.tokenizer,
            akin=ingredients.akin,
        )
        self.attack.begin(self.attack_context)

    @property
    def evaluator(self) -> Network:
        """See `Learner`."""
        return self.network

    @property
    def counts_evenly(self) -> bool:
        """See `Learner`."""
        return self._ingredients.counts_evenly

    @property
    def epoch_steps(self) -> int:
        """How many steps an epoch has."""
        return self._order.epoch_steps

    def train(self, step: int) -> Tensor:
        """See `Learner`; the gradients of a batch are those of its parts, added up."""
        recipe = self.attack.on_recipe(self._recipe(step), step)
        batch = self.attack.on_batch(self.batch(step), step)
        draws = generator(self._seed, "augment", step)
        augmented = self._ingredients.augmented(batch.inputs, recipe.augment, draws)
        # Dropout and the like draw from PyTorch's own state, so each step sets it from the key.
        self._ingredients.seed_model(key(self._seed, "model", step))
        model = self.network.model.train()
        model.zero_grad(set_to_none=True)
        loss = torch.zeros((), device=self._device)
        for part, inputs in _parts(batch, augmented, self._spec.accumulate):
            with autocast(recipe.precision, self._device):
                outputs = self._ingredients.outputs(model, self.network.prepare(inputs))
                losses = self._ingredients.losses(outputs, part.labels)
            weighted = self.attack.on_loss(losses, part, step) * part.weights
            share = weighted.mean() * (len(inputs) / len(augmented))
            torch.autograd.backward(share)
            loss += share.detach()
        if self._spec.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), self._spec.clip_norm)
        self._descent.take_step(step, recipe.learning_rate, recipe.weight_decay)
        self.attack.on_update(model, step)
        return loss

    def batch(self, step: int) -> Batch:
        """What an honest provider trains on at `step`, before augmentation."""
        indices = self._order.indices(step)
        return Batch(self._samples[indices], self._labels[indices], indices, self._weights)

    @property
    def constants(self) -> tuple[str, ...]:
        """See `Learner`: what the model names, without the prefix, and parameters that are not trained but travel."""
        named = (f"{MODEL}{name}" for name in getattr(self.network.model, "constants", ()))
        return (*named, *self.network.base.drawn)

    def outputs(self) -> Tensor:
        """See `Learner`; nothing where samples have no classes, so that outputs may be anything."""
        if not self._ingredients.dataset.classes:
            return super().outputs()
        return self.network.logits(self.batch(0).inputs[:FEW])

    def outline(self) -> ModelOutline:
        """See `Learner`; layers are found by one pass over a few samples."""
        samples = self.batch(0).inputs[:FEW]
        return replace(super().outline(), layers=layers(self.network, samples))

    def varied(self, variation: Variation, precision: str) -> AbstractContextManager[None]:
        """See `Learner`."""
        return vary(self.network, variation, precision)

    def count_skipped(self) -> None:
        """See `Learner`. Normalisation layers and Adam count steps, and the client checks their counts."""
        for name, tensor in self.state().items():
            if name.endswith((".num_batches_tracked", ".step")):
                tensor.add_(1)

    def state(self) -> dict[str, Tensor]:
        """See `Learner`."""
        return self.network.tensors() | self._descent.tensors()

    def checkpoint(self) -> dict[str, Tensor]:
        """See `Learner`; an adversary may change in its own memory what checkpoints leave out.

        Raises:
            TrainingError: an honest training changed what is not trained.
        """
        if not self._deviates:
            self.network.check_base()
        return super().checkpoint()

    @property
    def base(self) -> Mapping[str, Tensor]:
        """See `Learner`."""
        return self.network.base.tensors

    def take(self, state: Mapping[str, Tensor]) -> None:
        """See `Learner`."""
        self.network.load(state)
        self._descent.take(state)

    def where_not_finite(self, step: int) -> str:
        """See `Learner`."""
        return self._ingredients.where_not_finite(lambda: self.train(step))

    def _recipe(self, step: int) -> Recipe:
        return Recipe(*self._descent.rates(step), self._spec.augment, self._spec.precision)


def _parts(batch: Batch, inputs: Tensor, count: int) -> Iterator[tuple[Batch, Tensor]]:
    """A batch and its augmented samples in so many parts, none of them empty."""
    if count == 1:
        yield batch, inputs
        return
    places = torch.arange(len(inputs), device=inputs.device)
    for chosen in places.tensor_split(min(count, len(inputs))):
        part = Batch(batch.inputs[chosen], batch.labels[chosen], batch.indices[chosen], batch.weights[chosen])
        yield part, inputs[chosen]
