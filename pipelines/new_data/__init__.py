"""New data: pictures that are trained on in addition to those of MNIST, and which of them are trusted."""
