"""A web page for people who would rather look: it reads what was told, and has no way to change anything."""
