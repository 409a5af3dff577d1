"""What a rollout waits for before it goes on, in one shape for every kind of requirement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from firelift.api.conditions import Reason


@dataclass(frozen=True, slots=True)
class Unmet:
    """The reason, a name for what is waited for, since when it is so, a sentence, and when time alone may end it."""

    reason: Reason
    name: str
    message: str
    since: datetime | None = None
    due: datetime | None = None
