"""Learned structured pruning: gates, their cost, the constraint, and the removal."""
