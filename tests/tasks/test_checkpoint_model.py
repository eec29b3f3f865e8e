"""What metrics see of a returned model, and of all models before the first is there."""

from __future__ import annotations

import pytest
import torch

from auditor.job.training import AdamW, Training
from auditor.tasks.ingredients import NamedIngredients
from auditor.tasks.trainer import Trainer
from tests.plugins.models import CONTEXT, DIGITS, Models
from tests.tasks.loading import network_task


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """See `Models`."""
    return Models(tmp_path_factory.mktemp("models"))


def test_the_outline_names_what_a_returned_model_has(models: Models) -> None:
    model, told = models["one"], CONTEXT.model
    assert tuple(name for name, _ in model.parameters()) == told.parameters
    assert tuple(name for name, _ in model.start_parameters()) == told.parameters
    assert tuple(name for name, _ in model.buffers()) == told.buffers
    assert tuple(name for name, _ in model.optimizer_state()) == told.optimizer_state
    assert {"conv", "stages.1.bn2", "stages.2", "linear"} <= set(told.layers)
    assert set(told.optimizer_state) == {f"{name}.momentum_buffer" for name in told.parameters}


def test_the_outline_leaves_the_model_as_it_was() -> None:
    spec = Training(steps=10, batch_size=2, optimizer=AdamW(name="adamw"))
    ingredients = NamedIngredients(network_task(dataset="digits", model="resnet9"), DIGITS)
    trainer = Trainer(ingredients, spec, device=torch.device("cpu"), seed=1)
    before = trainer.checkpoint()
    told = trainer.outline()
    assert trainer.network.model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in trainer.checkpoint().items())
    assert "linear.weight.exp_avg_sq" in told.optimizer_state
    assert "body.8.body" in told.layers


def test_activations_are_those_of_the_layers_in_the_order_asked_for(models: Models) -> None:
    model, probe = models["one"], CONTEXT.probe[:5]
    linear, stage = model.activations(probe, ["linear", "stages.2"])
    torch.testing.assert_close(linear, model.logits(probe))
    assert stage.shape == (5, 64 * 2 * 2)
    torch.testing.assert_close(stage.reshape(5, 64, 4).mean(2), model.features(probe))


def test_masked_pixels_are_the_mean_and_a_full_mask_changes_nothing(models: Models) -> None:
    model, images = models["one"], CONTEXT.reference[:2]
    full = torch.ones_like(images, dtype=torch.bool)[:, None]
    torch.testing.assert_close(torch.cat(model.masked_logits(images, full)), model.logits(images))
    first, second = model.masked_logits(images, ~full)
    torch.testing.assert_close(first, second)


def test_gradients_flow_to_images_and_to_nothing_else(models: Models) -> None:
    images = CONTEXT.probe[:4]
    module = models["one"].differentiable()
    expected = models["one"].logits(images)
    models["other"].logits(images)  # takes the network that all models share
    between = (images.float() + 0.25).requires_grad_()
    answers = module(between)
    torch.testing.assert_close(module(images), expected)
    torch.testing.assert_close(answers, expected, atol=0.5, rtol=0.1)
    assert not torch.equal(answers, expected)
    (slope,) = torch.autograd.grad(answers[0, 3], between)
    assert slope[0].any()
    assert not slope[1:].any()
    assert not any(parameter.requires_grad for parameter in module.parameters())
    assert not module.training


def test_what_is_done_to_the_module_hurts_no_model(models: Models) -> None:
    before = models["one"].logits(CONTEXT.probe[:4])
    module = models["one"].differentiable()
    for parameter in module.parameters():
        parameter.zero_()
    torch.testing.assert_close(models["one"].logits(CONTEXT.probe[:4]), before)


def test_many_samples_are_answered_as_few_are(models: Models) -> None:
    model = models["one"]
    images = DIGITS.samples[:300]
    torch.testing.assert_close(model.logits(images)[290:], model.logits(images[290:]))
    kept = torch.ones(300, 1, 8, 8, dtype=torch.bool)
    (answers,) = model.masked_logits(images[:1], [kept])
    torch.testing.assert_close(answers, model.logits(images[:1]).expand(300, 10))
