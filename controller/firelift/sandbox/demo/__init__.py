"""The demonstration: an app's live data moved, gated, taken back, and checked against the database.

Nothing here imports the data plane or the rollout machine: app, seed and checks are what a user would bring. The checks
recompute what the database must hold from the seed and from the app's own log.
"""
