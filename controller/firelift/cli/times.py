"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

from firelift.rollout.extent import duration


def moment(time: datetime) -> str:
    """To the minute, in UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def span(seconds: float) -> str:
    """In the largest unit: ``45s``, ``25m``, ``3h``, ``2d``."""
    return duration(seconds)


def between(earlier: datetime, later: datetime) -> str:
    """How long from one to the other."""
    return span((later - earlier).total_seconds())
