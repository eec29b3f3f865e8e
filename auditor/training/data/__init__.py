"""Datasets: each a pair of uint8 tensors that fit on the device, so that no loader process is needed."""

from auditor.training.data.dataset import Dataset
from auditor.training.data.sources import load_dataset

__all__ = ["Dataset", "load_dataset"]
