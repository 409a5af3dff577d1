"""Many-to-one: documents of an entity in groups, and what each group comes to."""
