"""What several changes of one record amount to."""

from __future__ import annotations

from collections.abc import Sequence

from firelift.migration.chunks import total
from firelift.migration.work import Change


def summed(changes: Sequence[Change]) -> Change:
    """The sum of changes that write nothing, with the first of their examples."""
    if len(changes) == 1:
        return changes[0]
    tally = total(change.tally for change in changes)
    return Change(tally, example=next((change.example for change in changes if change.example), ""))
