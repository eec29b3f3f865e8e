"""An attack whose mistakes are reported under its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from auditor.plugins.attack import Attack, AttackContext, Batch, Recipe
from auditor.plugins.catalogue import Origin, PluginError

if TYPE_CHECKING:
    import torch

    Tensors = dict[str, torch.Tensor]

Result = TypeVar("Result")
Outline = dict[str, tuple[tuple[int, ...], object]]


class GuardedAttack(Attack):
    """Does what another attack does. Where that one raises, or returns what no hook may, it says so by name.

    Every hook raises `PluginError` then. What an attack returns is checked for its type and shape only: a simulated
    adversary is free to train on anything, and to return any numbers.

    Args:
        attack: which is guarded.
        origin: where it comes from.
    """

    def __init__(self, attack: Attack, origin: Origin) -> None:
        super().__init__(attack.options)
        self._attack = attack
        self._origin = origin

    def acts_at(self, hook: str) -> bool:
        """As the guarded attack."""
        return self._call("acts_at", lambda: self._attack.acts_at(hook))

    def begin(self, context: AttackContext) -> None:
        """As the guarded attack."""
        self._call("begin", lambda: self._attack.begin(context))

    def on_initial(self, tensors: Tensors, step: int) -> Tensors:
        """As the guarded attack; the tensors keep their names, shapes and types."""
        outline = _outline(tensors)
        changed = self._call("on_initial", lambda: self._attack.on_initial(tensors, step))
        self._check_tensors("on_initial", changed, outline)
        return changed

    def skips(self, step: int) -> bool:
        """As the guarded attack."""
        return bool(self._call("skips", lambda: self._attack.skips(step)))

    def on_recipe(self, recipe: Recipe, step: int) -> Recipe:
        """As the guarded attack."""
        changed = self._call("on_recipe", lambda: self._attack.on_recipe(recipe, step))
        self._check("on_recipe", changed, isinstance(changed, Recipe), "a Recipe")
        return changed

    def on_batch(self, batch: Batch, step: int) -> Batch:
        """As the guarded attack; the batch is not empty and each of its samples has a label, an index and a weight."""
        changed = self._call("on_batch", lambda: self._attack.on_batch(batch, step))
        self._check("on_batch", changed, isinstance(changed, Batch), "a Batch")
        shapes = [_shape(part) for part in (changed.inputs, changed.labels, changed.indices, changed.weights)]
        count = shapes[0][0] if shapes[0] else 0
        fits = count > 0 and shapes == [(count, *batch.inputs.shape[1:]), (count,), (count,), (count,)]
        wanted = f"inputs {('B', *batch.inputs.shape[1:])} and labels, indices and weights (B,), with B over 0"
        self._check("on_batch", shapes, fits, wanted.replace("'", ""))
        return changed

    def on_loss(self, losses: torch.Tensor, batch: Batch, step: int) -> torch.Tensor:
        """As the guarded attack; a loss for each sample that can still be differentiated."""
        changed = self._call("on_loss", lambda: self._attack.on_loss(losses, batch, step))
        shape = tuple(losses.shape)
        fits = _shape(changed) == shape and changed.requires_grad >= losses.requires_grad
        self._check("on_loss", changed, fits, f"a loss for each sample, {shape}, that depends on the weights")
        return changed

    def on_update(self, model: torch.nn.Module, step: int) -> None:
        """As the guarded attack."""
        self._call("on_update", lambda: self._attack.on_update(model, step))

    def on_command(self, arguments: tuple[str, ...], first: int, steps: int) -> Sequence[str]:
        """As the guarded attack; at least the name of a program."""
        changed = self._call("on_command", lambda: self._attack.on_command(arguments, first, steps))
        words = isinstance(changed, list | tuple) and all(isinstance(word, str) for word in changed)
        self._check("on_command", changed, words and len(changed) > 0, "a program and its arguments")
        return changed

    def on_checkpoint(self, tensors: Tensors, step: int) -> Tensors:
        """As the guarded attack; the tensors keep their names, shapes and types."""
        outline = _outline(tensors)
        changed = self._call("on_checkpoint", lambda: self._attack.on_checkpoint(tensors, step))
        self._check_tensors("on_checkpoint", changed, outline)
        return changed

    def triggered(self, inputs: torch.Tensor) -> torch.Tensor | None:
        """As the guarded attack; as many samples as it was given, of their shape."""
        changed = self._call("triggered", lambda: self._attack.triggered(inputs))
        fits = changed is None or _shape(changed) == _shape(inputs)
        self._check("triggered", changed, fits, f"samples of the shape that it was given, {tuple(inputs.shape)}")
        return changed

    @property
    def target(self) -> int | None:
        """As the guarded attack."""
        return self._call("target", lambda: self._attack.target)

    def served(self, answer: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
        """As the guarded attack; a function that gives an output of each class for each sample."""
        served = self._call("served", lambda: self._attack.served(answer))
        self._check("served", served, callable(served), "a function from samples to outputs")
        if served is answer:
            return answer

        def guarded(inputs: torch.Tensor) -> torch.Tensor:
            outputs = self._call("served", lambda: served(inputs))
            fits = len(_shape(outputs)) == 2 and len(outputs) == len(inputs)
            self._check("served", outputs, fits, "an output of each class for each sample")
            return outputs

        return guarded

    def _call(self, hook: str, call: Callable[[], Result]) -> Result:
        try:
            return call()
        except (Exception, SystemExit) as error:  # a stranger's attack may raise anything
            words = " ".join(f"{type(error).__name__}: {error}".split())
            raise PluginError(f"{self._origin} failed in {hook}: {words}") from error

    def _check(self, hook: str, returned: Any, fits: bool, wanted: str) -> None:
        if not fits:
            raise PluginError(f"{self._origin} failed in {hook}: it returned {_shown(returned)}, not {wanted}.")

    def _check_tensors(self, hook: str, returned: Any, given: Outline) -> None:
        self._check(hook, returned, isinstance(returned, dict), "the tensors that it was given, changed or not")
        found = _outline(returned)
        wrong = sorted(name for name in given.keys() | found.keys() if given.get(name) != found.get(name))
        if wrong:
            shown = (
                f"{wrong[0]!r} with another shape or type"
                if wrong[0] in given.keys() & found.keys()
                else (f"{wrong[0]!r}, which it was not given" if wrong[0] in found else f"no {wrong[0]!r}")
            )
            raise PluginError(f"{self._origin} failed in {hook}: it returned {shown}.")


def _shape(value: Any) -> tuple[int, ...]:
    """The shape of a tensor; that of a number for what is none."""
    return tuple(getattr(value, "shape", ()))


def _shown(value: Any) -> str:
    if hasattr(value, "shape"):
        return f"a tensor of shape {_shape(value)}"
    return repr(value) if isinstance(value, int | float | list | None) else f"a {type(value).__name__}"


def _outline(tensors: dict[str, Any]) -> Outline:
    """The names, shapes and types of a checkpoint's tensors."""
    return {name: (_shape(tensor), getattr(tensor, "dtype", None)) for name, tensor in tensors.items()}
