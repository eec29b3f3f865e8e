"""Classes that become more frequent."""

from __future__ import annotations

import torch

from auditor.plugins import Drift, DriftContext, Options, generator, option


class LabelShiftOptions(Options):
    """What a job file may write for `label_shift`."""

    grows: tuple[int, ...] = option((0,), "the classes that become more frequent", min_length=1)


class LabelShift(Drift):
    """Replaces the share `amount` of the samples, 0 to 1, by samples of the classes that grow.

    The mix of classes changes, what each looks like does not: of what is left open in "On the Permanence of Backdoors
    in Evolving Models" (arXiv:2206.04677, §5, which changes images only). If a class that grows alone made up the share
    p, it makes up p + amount · (1 − p) afterwards, in expectation; the others shrink in proportion. There are as many
    samples as before. Those that are replaced by a smaller amount are replaced by a larger one, too, by the same
    samples. Which ones are, and by which, is drawn for each part of the data by itself.
    """

    name = "label_shift"
    tasks = frozenset({"text", "vision"})
    Options = LabelShiftOptions
    options: LabelShiftOptions

    def begin(self, context: DriftContext) -> None:
        """See that the classes exist."""
        super().begin(context)
        for grows in self.options.grows:
            if not 0 <= grows < context.classes:
                raise ValueError(
                    f"the class {grows} of `grows` is not one of the {context.classes} classes, counted from 0"
                )
        if len(set(self.options.grows)) >= context.classes:
            raise ValueError("all classes cannot become more frequent; name fewer in `grows`")

    def apply(
        self, samples: torch.Tensor, labels: torch.Tensor, amount: float, part: str
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The samples, `amount` of them replaced."""
        if not 0 <= amount <= 1:
            raise ValueError(f"a share of {amount:g} of the samples cannot be replaced; use amounts from 0 to 1")
        count = round(amount * len(labels))
        grows = torch.tensor(sorted(set(self.options.grows)), device=labels.device)
        (growing,) = torch.isin(labels, grows).nonzero(as_tuple=True)
        if count and not len(growing):
            raise ValueError(f"no sample of the {part} data has one of the classes that grow, {grows.tolist()}")
        draws = generator(self.context.seed, f"label_shift {part}")
        replaced = torch.from_numpy(draws.permutation(len(labels))[:count]).to(labels.device)
        sources = torch.arange(len(labels), device=labels.device)
        if count:
            drawn = torch.from_numpy(draws.integers(len(growing), size=len(labels))[:count]).to(labels.device)
            sources[replaced] = growing[drawn]
        return samples[sources], labels[sources]
