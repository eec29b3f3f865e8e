"""From the `model` key of a job to an initialised network."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from auditor.base.randomness import key
from auditor.tasks.errors import TrainingError
from auditor.tasks.models.cifar_resnet import CifarResNet
from auditor.tasks.models.embeddings import BagOfEmbeddings
from auditor.tasks.models.random_features import RandomFourier, RandomRelu, Threshold
from auditor.tasks.models.resnet9 import ResNet9
from auditor.tasks.models.transformer import Transformer


def build_model(
    name: str,
    shape: tuple[int, ...],
    classes: int,
    seed: int,
    vocabulary: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Build and initialise a model on the CPU; the same seed gives the same weights everywhere.

    Args:
        name: `resnet8`, `resnet9`, `resnet20`, `torchvision:NAME`, `random_fourier`, `random_relu`, `transformer` or
            `embeddings`.
        shape: (C, H, W) of an image, (L,) of a text.
        classes: number of classes.
        seed: what the initial weights derive from.
        vocabulary: of texts, the number of ids, padding included; None for images.
        options: what the model takes beside its name, by keyword.

    Raises:
        TrainingError: there is no such model, or it cannot take such samples.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(key(seed, "initialisation", 0) % 2**63)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if vocabulary is not None:
                return _construct_for_texts(name, vocabulary, shape[0], classes)
            model = _construct(name, shape, classes, options or {})
    _check(model, name, shape, classes)
    return model


def last_linear(model: nn.Module) -> nn.Module:
    """The last linear layer, or the threshold on a mean: what enters it is the penultimate representation.

    Raises:
        TrainingError: the model has none.
    """
    layers = [module for module in model.modules() if isinstance(module, nn.Linear | Threshold)]
    if not layers:
        raise TrainingError("the model has no linear layer, so it has no penultimate representation.")
    return layers[-1]


def _construct(name: str, shape: tuple[int, ...], classes: int, options: Mapping[str, Any]) -> nn.Module:
    kind, _, rest = name.partition(":")
    channels, height, width = shape
    if kind == "torchvision":
        from auditor.tasks.models.torchvision_models import build_torchvision

        return build_torchvision(rest, (channels, height, width), classes)
    if kind == "random_fourier":
        return RandomFourier(channels * height * width, classes, **options)
    if kind == "random_relu":
        return RandomRelu(channels * height * width, classes, **options)
    if kind == "resnet9":
        return ResNet9(channels, classes)
    return CifarResNet({"resnet8": 1, "resnet20": 3}[kind], channels, classes)


def _construct_for_texts(name: str, vocabulary: int, length: int, classes: int) -> nn.Module:
    if name == "embeddings":
        return BagOfEmbeddings(vocabulary, classes)
    return Transformer(vocabulary, length, classes)


def _check(model: nn.Module, name: str, shape: tuple[int, ...], classes: int) -> None:
    """One forward pass, so that a model which does not fit its images is an error here and not at step 0."""
    model.eval()
    try:
        with torch.inference_mode():
            outputs = model(torch.zeros(2, *shape))
        fits = isinstance(outputs, torch.Tensor) and outputs.shape == (2, classes)
        reason = "its outputs are not one number per class"
    except (RuntimeError, AssertionError, ValueError, IndexError) as error:
        fits, reason = False, str(error).partition("\n")[0]
    if not fits:
        size = "×".join(str(side) for side in shape)
        raise TrainingError(f"model {name} does not take images of {size}: {reason}. Choose another model.")
    model.train()
