"""Tools for people at a terminal."""
