"""RESULTS.md: collected from experiments, measured, never typed."""
