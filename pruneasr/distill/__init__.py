"""Distillation: which layers are compared, and the objective with its constraint."""
