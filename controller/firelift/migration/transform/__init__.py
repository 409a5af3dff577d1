"""What becomes of a document: a migration compiled into a pure function."""
