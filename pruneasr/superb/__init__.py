"""The ten SUPERB probes on frozen features, their metrics, and the score."""
