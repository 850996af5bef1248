"""Training: what uses the network, the optimizer and the data together."""
