"""Checks of a real project: what the emulator cannot show, in a scratch collection of their own."""
