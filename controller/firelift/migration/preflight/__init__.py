"""Preflight: what a plan run checks and estimates before the first write of a rollout."""
