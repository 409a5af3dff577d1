"""The command line: `kubectl firelift`, and the probe of a real project."""
