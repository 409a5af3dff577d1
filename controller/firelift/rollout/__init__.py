"""The rollout machine: pure decisions about phases, steps, gates and the way back. No clock, no network, no log."""
