"""The ground: turns of environments."""
