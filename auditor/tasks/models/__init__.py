"""Models for images, our own small residual networks and those of torchvision, and small models for texts."""

from auditor.tasks.models.build import build_model, last_linear

__all__ = ["build_model", "last_linear"]
