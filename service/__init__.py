"""The gRPC inference service: it hot-loads the promoted version and serves predictions."""
