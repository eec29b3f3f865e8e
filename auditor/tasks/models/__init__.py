"""Models for images, our own small residual networks and those of torchvision, and small models for texts.

What belongs here: one architecture a file, and building one by the name that a job gives. It imports the errors of
`tasks` and what stands lower than `tasks`; `auditor.tasks.network` imports it.
"""

from auditor.tasks.models.build import build_model, last_linear

__all__ = ["build_model", "last_linear"]
