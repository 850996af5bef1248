"""The page on which people draw, and the REST half of the Open Inference Protocol: a client of the service."""
