"""Models fit their images or say that they don't, and start from weights that the seed alone decides."""

from __future__ import annotations

import pytest
import torch

from auditor.job.text import TextTask
from auditor.tasks.errors import TrainingError
from auditor.tasks.models import build_model, last_linear

SMALL = (1, 8, 8)


@pytest.mark.parametrize("shape", [SMALL, (3, 32, 32), (1, 28, 20)])
@pytest.mark.parametrize("name", ["resnet8", "resnet9", "resnet20", "torchvision:resnet18", "torchvision:mobilenet_v2"])
def test_a_model_gives_one_number_a_class(name: str, shape: tuple[int, int, int]) -> None:
    model = build_model(name, shape, 7, seed=0)
    assert model.training
    with torch.inference_mode():
        assert model(torch.zeros(3, *shape)).shape == (3, 7)
    assert last_linear(model).out_features == 7


@pytest.mark.parametrize("name", ["transformer", "embeddings"])
def test_padding_counts_for_nothing_wherever_it_stands(name: str) -> None:
    model = build_model(name, (6,), 3, seed=0, vocabulary=50).eval()
    assert last_linear(model).out_features == 3
    with torch.inference_mode():
        short, long = (model(torch.tensor([[7, 8, 9, *[0] * more]])) for more in (0, 3))
        together = model(torch.tensor([[7, 8, 9, 0, 0, 0], [7, 0, 9, 0, 0, 0], [0] * 6, [1, 2, 3, 4, 5, 6]]))
        gap = model(torch.tensor([[7, 0, 9]]))
    assert together.shape == (4, 3)
    assert bool(together.isfinite().all())
    torch.testing.assert_close(short, long)
    torch.testing.assert_close(together[:1], short)
    torch.testing.assert_close(together[1:2], gap)
    assert not torch.allclose(together[0], together[1])


def test_resnet8_has_as_many_parameters_as_the_paper_says() -> None:
    counts = {
        name: sum(parameter.numel() for parameter in build_model(name, (3, 32, 32), 10, seed=0).parameters())
        for name in ("resnet8", "resnet20", "resnet9")
    }
    assert 76_000 < counts["resnet8"] < 80_000
    assert 268_000 < counts["resnet20"] < 275_000
    assert 6_500_000 < counts["resnet9"] < 6_700_000


@pytest.mark.parametrize(
    "name", ["torchvision:alexnet", "torchvision:vit_b_32", "torchvision:inception_v3", "torchvision:convnext_tiny"]
)
def test_a_model_that_cannot_take_small_images_says_so(name: str) -> None:
    with pytest.raises(TrainingError, match=rf"{name}.*does not take images of (1×)?8×8"):
        build_model(name, SMALL, 10, seed=0)


def test_a_model_that_torchvision_does_not_have_suggests_the_nearest() -> None:
    with pytest.raises(TrainingError, match=r"no classification model of this name. Did you mean 'resnet1"):
        build_model("torchvision:resnet17", SMALL, 10, seed=0)


@pytest.mark.parametrize("name", ["resnet8", "torchvision:mobilenet_v2", "transformer", "embeddings"])
def test_initial_weights_depend_on_the_seed_only(name: str) -> None:
    weights = []
    vocabulary = 50 if name in TextTask.models else None
    for noise, seed in ((1, 5), (2, 5), (1, 6)):
        torch.manual_seed(noise)
        model = build_model(name, SMALL, 10, seed=seed, vocabulary=vocabulary)
        weights.append(torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_building_a_model_leaves_global_random_state_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(4)
    torch.manual_seed(1)
    build_model("torchvision:mobilenet_v2", SMALL, 10, seed=5)
    assert torch.equal(torch.rand(4), expected)
