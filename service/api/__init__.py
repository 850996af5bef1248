"""The service over gRPC: its protocols, and what every call passes through."""
