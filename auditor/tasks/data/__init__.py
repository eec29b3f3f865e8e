"""Datasets: each a pair of uint8 tensors that fit on the device, so that no loader process is needed.

What belongs here: reading datasets from where a job names them, cutting them into batches, tokens and augmentation. It
imports the errors of `tasks` and what stands lower than `tasks`; the kinds of task import it.
"""
