"""The four kinds of work over one lane: migrate (and sweep), verify, revert and the verification of a revert."""
