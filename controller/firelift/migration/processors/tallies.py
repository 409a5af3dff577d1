"""The counts that one record adds, made once: building a model for each of a million records would be felt."""

from __future__ import annotations

from firelift.api.run import Totals

NOTHING = Totals()
SKIPPED = Totals(read=1, skipped=1)
UNCHANGED = Totals(read=1, unchanged=1)
CREATED = Totals(read=1, created=1)
UPDATED = Totals(read=1, updated=1)
DELETED = Totals(read=1, deleted=1)
DEAD_LETTER = Totals(read=1, dead_letters=1)
KEPT = Totals(read=1, kept=1)
MISSING = Totals(read=1, missing=1)
EXTRA = Totals(read=1, extra=1)
DIFFERENT = Totals(read=1, different=1)
