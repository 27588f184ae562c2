"""The one-machine stack: what a real deployment gets from its platform, started here as a few processes."""
