"""ResNet-9: the wide, shallow network of the DAWNBench entry by D. Page (2018), fast on CIFAR-10."""

from __future__ import annotations

from torch import Tensor, nn


def _convolution(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class _Halve(nn.Module):
    """Max-pooling by two that leaves a side of one pixel alone, so that 8×8 images fit too."""

    def forward(self, x: Tensor) -> Tensor:
        kernel = (min(2, x.shape[-2]), min(2, x.shape[-1]))
        return nn.functional.max_pool2d(x, kernel)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_convolution(width, width), _convolution(width, width))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.body(x)
        return y


class ResNet9(nn.Module):
    """Eight convolutions and a linear layer, 6.6 million parameters."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _convolution(channels, 64),
            _convolution(64, 128),
            _Halve(),
            _Residual(128),
            _convolution(128, 256),
            _Halve(),
            _convolution(256, 512),
            _Halve(),
            _Residual(512),
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),
        )
        self.linear = nn.Linear(512, classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] to logits [B, classes]; the factor 1/8 is Page's."""
        logits: Tensor = self.linear(self.body(x)) * 0.125
        return logits
