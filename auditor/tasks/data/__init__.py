"""Datasets: each a pair of uint8 tensors that fit on the device, so that no loader process is needed."""

from auditor.tasks.data.dataset import Dataset

__all__ = ["Dataset"]
