"""Which versions exist, which of them are loaded, and which one answers a call."""
