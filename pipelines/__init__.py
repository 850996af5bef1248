"""Prefect flows that bring MNIST, train, evaluate and publish a version, by hand or on a schedule."""
