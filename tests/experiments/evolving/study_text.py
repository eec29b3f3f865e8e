"""A small study on digits, as text."""

from __future__ import annotations

STUDY = """\
name = "small"
instances = 2
unpoisoned = true

[task]
dataset = "digits"

[training]
steps = 60
batch_size = 32
optimizer = { name = "sgd", lr = 0.1 }

[evolution]
updates = 3
drift = { name = "rotate", step = 5.0 }

[evolution.training]
epochs = 0.1
optimizer = { name = "sgd", lr = 0.01 }

[sweep]
attacks = [{ name = "badnets", rate = 0.3 }, "blend"]
poisoned_updates = [[0], [1]]
gammas = [0.3, 0.5]
"""
