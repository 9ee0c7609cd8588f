"""pruneasr: structured pruning of self-supervised speech encoders for ESPnet."""

__version__ = "0.1.0"

SAMPLE_RATE = 16000
"""Samples per second of what all published encoders of these families hear."""
