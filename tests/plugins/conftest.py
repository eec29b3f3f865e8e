"""Models that are trained once for all tests of plugins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from tests.plugins.models import Models


@pytest.fixture(autouse=True, scope="package")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="package")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """See `Models`."""
    return Models(tmp_path_factory.mktemp("models"))
