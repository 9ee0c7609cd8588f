"""The first optimiser of a process makes torch import much: not in a test's time."""

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _imported_optimizer():
    torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))])
