"""Published versions side by side: what a list says of each, where they come from, and how they differ."""
