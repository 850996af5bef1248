"""Networks that are only used: their forward pass laid out beforehand, and the predictor that the service calls."""
