"""The versioned artifact: weights, manifest, and the repository that keeps them. The one bridge to the service."""
