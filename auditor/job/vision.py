"""The keys of a task that classifies images by a network of layers."""

from __future__ import annotations

from typing import Literal

from auditor.job.image_task import ImageTask
from auditor.job.network_task import NetworkTask


class VisionTask(ImageTask):
    """Images and a model that classifies them."""

    program = "auditor.tasks.vision:VisionProgram"
    trained_by = NetworkTask.trained_by | {"augment"}
    models = ("resnet8", "resnet9", "resnet20", "torchvision:NAME")

    kind: Literal["vision"] = "vision"
    model: str = models[0]
