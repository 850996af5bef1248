"""What is trained on in addition to MNIST: pictures from folders (`--extra`), and what users sent to the service."""
