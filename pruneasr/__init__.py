"""pruneasr: structured pruning of self-supervised speech encoders for ESPnet."""

__version__ = "0.1.0"
