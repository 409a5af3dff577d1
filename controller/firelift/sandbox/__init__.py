"""A real control plane on one machine: for development, tests and the demo, never for production."""
