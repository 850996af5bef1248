"""Prefect flows that download MNIST, train and evaluate a network, and publish it as a version."""
