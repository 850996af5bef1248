"""From IDX bytes to shuffled, normalized mini-batches. Knows nothing of the network."""
