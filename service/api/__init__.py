"""The service over gRPC: its protocols, and what every call of them passes through."""
