"""How long a failure rests before it is tried again."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from firelift.environment.state import Failure, RunKind
from firelift.environment.turn import Turn

FIRST = 30
LONGEST = 3600
APPLIES = 5
"""Applies that fail in a row before a person is needed; a plan that fails changes nothing and is tried for ever."""
_SPREAD = 0.2


def retry_time(turn: Turn, failure: Failure) -> datetime | None:
    """When it is tried again; None when only another spec or a higher attempt does."""
    if failure.kind is RunKind.APPLY and failure.count >= APPLIES:
        return None
    seconds = min(LONGEST, FIRST * 2 ** min(failure.count - 1, 16))
    return failure.time + timedelta(seconds=seconds * (1 + _SPREAD * _share(turn.environment.uid)))


def spread(turn: Turn, seconds: int) -> float:
    """The interval, a little longer by object, so that a restart does not plan all environments at once."""
    return seconds * (1 + _SPREAD * _share(turn.environment.uid))


def _share(uid: str) -> float:
    """A number of the object's own from 0 to 1."""
    return hashlib.sha256(uid.encode()).digest()[0] / 255
