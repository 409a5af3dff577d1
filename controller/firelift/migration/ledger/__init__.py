"""The ledger: runs, lanes, the journal, dead letters and locks, kept beside the data and committed with it."""
