"""The retraining: from the four MNIST files to a published version."""
