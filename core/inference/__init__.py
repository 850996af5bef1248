"""Networks that are only used: laid out beforehand, compiled, and asked by the service."""
