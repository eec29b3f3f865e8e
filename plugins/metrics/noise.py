"""Which of a metric's noise floors a job has."""

from __future__ import annotations

from auditor.plugins import MetricContext, NoiseFloor


def floor_for(
    context: MetricContext, *, usual: NoiseFloor, texts: NoiseFloor, adaptive: NoiseFloor | None = None
) -> NoiseFloor:
    """The noise floor of a job's kind.

    Models for texts amplify rounding far less than residual networks with batch normalisation. Optimizers of Adam's
    kind divide each gradient by its own size, so that their first steps have one length whatever the gradient's:
    where that is nearly 0, rounding decides which way they go, and fresh networks come further apart (measured on
    CIFAR-10, after one step: 7 % of the update where SGD with momentum gives 0.5 %).

    Args:
        context: of the job.
        usual: measured on images with SGD.
        texts: measured on texts with AdamW.
        adaptive: measured on images with AdamW; None where it is not larger than `usual`.
    """
    if context.task == "text":
        return texts
    divides = any(name.endswith(".exp_avg_sq") for name in context.model.optimizer_state)
    return adaptive if adaptive is not None and divides else usual
