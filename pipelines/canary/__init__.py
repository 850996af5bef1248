"""A canary: a version that answers a share of the calls, and becomes the champion if it does no worse there."""
