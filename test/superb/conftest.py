"""What takes long once in a process is done here: not in a test's time."""

import pytest
import torch

from pruneasr.figure import pyplot


@pytest.fixture(scope="session", autouse=True)
def _imported():
    torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))])  # imports much
    pyplot()
