"""Firelift moves live Firestore data in phases, each opened by evidence and closed by a verified way back."""
