"""The ground under a database: what the Admin APIs say of it."""
