"""Optimization: how a gradient becomes a step of the weights."""
