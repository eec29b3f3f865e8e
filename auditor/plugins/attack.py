"""What an attack implements: optional hooks at every place where a trainer can cheat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from auditor.plugins.metric import MetricContext
from auditor.plugins.options import Options as PluginOptions
from auditor.plugins.text import Tokenizer

if TYPE_CHECKING:
    import torch

    Tensors = dict[str, torch.Tensor]


class TrainedNetwork(Protocol):
    """The model that a provider trains, with how its inputs are made ready."""

    model: torch.nn.Module

    def prepare(self, inputs: torch.Tensor) -> torch.Tensor:
        """Samples as the dataset stores them, as the model takes them."""


class HonestTwin(Protocol):
    """An honest execution beside the adversary's: the same job, seed and batches, without any attack."""

    @property
    def network(self) -> TrainedNetwork:
        """What it trains."""

    def load(self, tensors: Tensors) -> None:
        """Go on from a checkpoint, step count included."""

    def checkpoint(self) -> Tensors:
        """The present state, copied to the CPU."""

    def execute_step(self) -> torch.Tensor:
        """Execute the next step; returns its loss."""


@dataclass(frozen=True)
class Recipe:
    """How one step is trained.

    Attributes:
        learning_rate: of this step, after the schedule.
        weight_decay: of the optimizer.
        augment: names of the augmentations, in the order in which they are applied.
        precision: `fp32`, `tf32` or `bf16`.
    """

    learning_rate: float
    weight_decay: float
    augment: tuple[str, ...]
    precision: str


@dataclass(frozen=True)
class AttackContext:
    """What an attack gets before its provider trains.

    Attributes:
        task: the kind of the task, such as `vision`.
        classes: number of classes.
        sample_shape: shape of one sample: (3, 32, 32) for images of that size, (64,) for texts of up to 64 tokens.
        samples: number of training samples.
        sub_run_steps: k.
        device: where the batches are.
        network: what the provider trains.
        honest_twin: starts an honest execution beside this one, for attacks that want to look like it.
        client: the context of the client's metrics, for attacks that are assumed to know it; None where it is not
            known. A real adversary does not know it.
        tokenizer: of a text task; None for others.
        akin: other kinds of task whose plugins serve this one, too.
        loop: whether auditor executes the steps, so that all hooks are called; a command task calls `on_initial`,
            `skips`, `on_command` and `on_checkpoint` alone.
    """

    task: str
    classes: int
    sample_shape: tuple[int, ...]
    samples: int
    sub_run_steps: int
    device: torch.device
    network: TrainedNetwork
    honest_twin: Callable[[], HonestTwin]
    client: MetricContext | None
    tokenizer: Tokenizer | None
    akin: tuple[str, ...] = ()
    loop: bool = True


@dataclass(frozen=True)
class Batch:
    """What one training step learns from.

    Attributes:
        inputs: samples as the dataset stores them, before augmentation and normalisation; images are uint8
            [B, C, H, W], texts int64 [B, L], token ids that end in `PADDING`.
        labels: int64 [B].
        indices: int64 [B], which training samples these are.
        weights: float [B], the weight of each sample in the loss.
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    indices: torch.Tensor
    weights: torch.Tensor


class Attack:
    """An adversary that a simulated provider carries out.

    Each hook defaults to honesty. Hooks are called in the order of their definition here. All randomness must
    come from `auditor.plugins.generator`, keyed by an option, so that an attack is deterministic under a seed.
    """

    name: ClassVar[str]
    """The name in the job file; the same as the entry point's."""

    tasks: frozenset[str] = frozenset({"vision"})
    """The kinds of task that the attack can be carried out in; `EVERY_TASK` if it looks at tensors alone."""

    Options: ClassVar[type[PluginOptions]] = PluginOptions
    options: Any

    example: ClassVar[Mapping[str, Any]] = {}
    """Options to try it with, as a job file has them: what is required, and what makes it do something at once."""

    least_values: ClassVar[int] = 0
    """Values that a sample must have for it, pixels times channels; its contract is tried on samples that have them."""

    def __init__(self, options: PluginOptions) -> None:
        self.options = options

    @classmethod
    def make(cls, options: Mapping[str, Any], create: Callable[[Mapping[str, Any]], Attack]) -> Attack:
        """Make one with the options of a job file.

        Args:
            options: not yet validated.
            create: makes another attack from a table with its name and options, for attacks that wrap one.

        Raises:
            pydantic.ValidationError: the options are not what the attack takes.
        """
        return cls(cls.Options.model_validate(dict(options)))

    def acts_at(self, hook: str) -> bool:
        """Whether a hook is more than honest by default; an attack that wraps another one answers for that."""
        return getattr(type(self), hook) is not getattr(Attack, hook)

    def begin(self, context: AttackContext) -> None:
        """Called once before training, and before any other hook.

        It is called before a run starts, too, on an attack that is then thrown away: what it raises ends the run
        before anything is started, with its message. So it should be quick, and look without changing anything.
        """

    def on_initial(self, tensors: Tensors, step: int) -> Tensors:
        """The checkpoint that a sub-run starts from, at `step`; called at the start of every sub-run."""
        return tensors

    def skips(self, step: int) -> bool:
        """Whether the work of this step is skipped; the model stays as it is and the step is claimed."""
        return False

    def on_recipe(self, recipe: Recipe, step: int) -> Recipe:
        """How this step is trained."""
        return recipe

    def on_batch(self, batch: Batch, step: int) -> Batch:
        """The batch of this step; it may be smaller than it was, but not empty."""
        return batch

    def on_loss(self, losses: torch.Tensor, batch: Batch, step: int) -> torch.Tensor:
        """The loss of each sample, float [B]; training minimises their mean.

        What is added to every sample's loss is a penalty on the whole.
        """
        return losses

    def on_update(self, model: torch.nn.Module, step: int) -> None:
        """Called after the optimizer's step; may change the model in place."""

    def on_command(self, arguments: tuple[str, ...], first: int, steps: int) -> Sequence[str]:
        """The program and the arguments that are executed in a command task for `steps` steps, the `first` of them on.

        Files are named by their paths here: the provider reads and writes what it likes.
        """
        return arguments

    def on_checkpoint(self, tensors: Tensors, step: int) -> Tensors:
        """The checkpoint that is committed to at `step`.

        When it is another than was given, training goes on from it.
        """
        return tensors

    def triggered(self, inputs: torch.Tensor) -> torch.Tensor | None:
        """Samples (as in `Batch.inputs`) with the trigger added; None when the attack has no trigger."""
        return None

    @property
    def target(self) -> int | None:
        """The class that triggered samples should get; None when the attack has no target."""
        return None

    def served(self, answer: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
        """What the provider answers behind an API of its own, given what the delivered model answers.

        Both take samples (as in `Batch.inputs`) and give outputs, float [B, classes] on the CPU. Return `answer`
        itself where the provider serves what it delivered. An audit compares checkpoints, so that it cannot see this
        hook: attack success is measured on what is served, and beside it on the delivered model where they differ.
        """
        return answer
