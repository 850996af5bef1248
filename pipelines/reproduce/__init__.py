"""Training a published version again from its manifest alone, to see whether it comes out the same."""
