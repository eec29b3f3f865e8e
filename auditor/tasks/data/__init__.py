"""Datasets: each a pair of uint8 tensors that fit on the device, so that no loader process is needed."""

from auditor.tasks.data.dataset import Dataset
from auditor.tasks.data.sources import load_dataset

__all__ = ["Dataset", "load_dataset"]
