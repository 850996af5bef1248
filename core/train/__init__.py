"""The training loop and the evaluation: what uses the network, the optimizer and the data together."""
