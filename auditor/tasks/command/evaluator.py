"""Computing with what a client's program returned, where the client also gave its model in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from torch import Tensor, nn

from auditor.job.errors import nearest
from auditor.tasks.checkpoint import OPTIMIZER
from auditor.tasks.command.state_file import own_name
from auditor.tasks.errors import TrainingError
from auditor.tasks.evaluator import Evaluator
from auditor.tasks.inventory import few
from auditor.tasks.network import Network


class CommandEvaluator(Evaluator):
    """Knows parameters and buffers by their names, and computes by a network where there is one.

    Args:
        state: of the job, under the names of checkpoints.
        buffers: patterns of the program's names for what is kept and not learned; whole numbers are, anyway.
        make_network: makes the network, when something is first computed; None where there is none.
    """

    def __init__(
        self, state: Mapping[str, Tensor], buffers: Sequence[str], make_network: Callable[[], Network] | None
    ) -> None:
        kept = [name for name in state if not name.startswith(OPTIMIZER)]
        self._buffers = tuple(sorted(name for name in kept if _is_buffer(name, state[name], buffers)))
        self._parameters = tuple(sorted(set(kept) - set(self._buffers)))
        if not self._parameters:
            raise TrainingError("task.buffers leaves no parameter; name fewer tensors there.")
        self._make_network = make_network
        self._network: Network | None = None
        self._loaded: Mapping[str, Tensor] = state

    @property
    def parameters(self) -> tuple[str, ...]:
        """See `Evaluator`."""
        return self._parameters

    @property
    def buffers(self) -> tuple[str, ...]:
        """See `Evaluator`."""
        return self._buffers

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """See `Evaluator`."""
        self._loaded = tensors
        if self._network is not None:
            self._network.load(tensors)

    def logits(self, inputs: Tensor) -> Tensor:
        """See `ReturnedModel`."""
        return self.network.logits(inputs)

    def features(self, inputs: Tensor) -> Tensor:
        """See `ReturnedModel`."""
        return self.network.features(inputs)

    def activations(self, inputs: Tensor, layers: Sequence[str]) -> list[Tensor]:
        """See `ReturnedModel`."""
        return self.network.activations(inputs, layers)

    def masked_logits(self, inputs: Tensor, masks: Iterable[Tensor]) -> list[Tensor]:
        """See `ReturnedModel`."""
        return self.network.masked_logits(inputs, masks)

    def differentiable(self) -> nn.Module:
        """See `ReturnedModel`."""
        return self.network.differentiable()

    @property
    def network(self) -> Network:
        """The client's model in Python, with the weights that were loaded.

        Raises:
            TrainingError: it has other names or shapes than the program's files.
            ValueError: there is none.
        """
        if self._make_network is None:
            raise ValueError("task.python gives no model that computes")
        if self._network is None:
            network = self._make_network()
            self._check(network)
            network.load(self._loaded)
            self._network = network
        return self._network

    def _check(self, network: Network) -> None:
        known = (*self._parameters, *self._buffers)
        wanted = network.tensors()
        missing = [name for name in wanted if name not in known]
        if missing:
            near = nearest(missing[0], [name for name in known if name not in wanted])
            hint = f" (nearest is {own_name(near)})" if near is not None else ""
            raise TrainingError(
                f"the model of task.python has {few([own_name(name) for name in missing])}{hint}, which the program's "
                "files have not. Give both the same names."
            )
        for name, tensor in wanted.items():
            if tensor.shape != self._loaded[name].shape:
                raise TrainingError(
                    f"the model of task.python has {own_name(name)} as {list(tensor.shape)}, and the program's files "
                    f"as {list(self._loaded[name].shape)}. Give both the same shapes."
                )


def _is_buffer(name: str, tensor: Tensor, patterns: Sequence[str]) -> bool:
    return not tensor.is_floating_point() or any(fnmatchcase(own_name(name), pattern) for pattern in patterns)
