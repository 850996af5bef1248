"""The network, its data and its artifact: everything that knows no Prefect, no gRPC, no HTTP and no environment."""
