"""Which versions there are, which of them are loaded, and which answers a call."""
