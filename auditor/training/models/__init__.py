"""Models for images: small residual networks of our own, and those of torchvision."""

from auditor.training.models.build import build_model, last_linear

__all__ = ["build_model", "last_linear"]
