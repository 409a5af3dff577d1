"""One file per command: its flags, what it asks the cluster for, and what it prints."""
