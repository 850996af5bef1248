"""Other ways to compute a convolution in NumPy, beside the one in use: see docs/decisions/0028-convolutions.md."""
