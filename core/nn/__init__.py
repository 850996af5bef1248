"""Layers, losses and initializers, each with its backward pass under its forward pass."""
