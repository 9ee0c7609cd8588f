"""Training of a probe on one batch."""

import pytest
import torch


@pytest.fixture
def fit():
    """Return a function that makes some updates and returns the first and last loss."""

    def run(probe, states, lengths, texts, steps=30, rate=0.03):
        torch.manual_seed(0)
        probe.train()
        optimizer = torch.optim.Adam(probe.parameters(), lr=rate)
        losses = []
        for _ in range(steps):
            loss = probe.loss(states, lengths, texts)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        probe.eval()
        return losses[0], losses[-1]

    return run
