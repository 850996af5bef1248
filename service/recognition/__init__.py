"""Pictures in, probabilities out: admission, batching, decoding, feedback. Knows no transport."""
