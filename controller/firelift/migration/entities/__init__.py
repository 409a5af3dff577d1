"""Records read entity by entity, so that a cohort costs what it covers."""
