"""The official heads of the SUPERB tasks, on a learned weighted sum of features."""
