"""From IDX bytes to shuffled, normalized mini-batches. It knows nothing of the network."""
