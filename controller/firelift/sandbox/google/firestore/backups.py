"""Backup schedules, and the backups that a person lays down through the control API."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

import grpc

from firelift.sandbox.google.resources import Json, Resources, timestamp
from firelift.sandbox.google.values import RefusedError, invalid

if TYPE_CHECKING:
    from firelift.sandbox.google.calls import Clock

_RECURRENCES = ("dailyRecurrence", "weeklyRecurrence")
_RETENTION = re.compile(r"(\d{1,9})(\.0+)?s")
_LONGEST = 8_467_200
"""Seconds a backup may be kept: 14 weeks."""


class BackupSchedules:
    """The backup schedules of all databases by full name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept = Resources()

    def create(self, database: str, body: Json) -> Json:
        """Create a schedule.

        Raises RefusedError: INVALID_ARGUMENT for no or two recurrences or a retention above 14 weeks, ALREADY_EXISTS
        for a second one of the same recurrence.
        """
        given = [recurrence for recurrence in _RECURRENCES if body.get(recurrence) is not None]
        if len(given) != 1:
            raise invalid(f"a backup schedule has exactly one of {' and '.join(_RECURRENCES)}")
        _check_retention(body)
        if any(given[0] in other for other in self._kept.below(f"{database}/backupSchedules")):
            raise RefusedError(grpc.StatusCode.ALREADY_EXISTS, f"{database} has a schedule with {given[0]} already")
        name, now = f"{database}/backupSchedules/{uuid.uuid4()}", timestamp(self._clock.now())
        return self._kept.add(name, {**body, "name": name, "createTime": now, "updateTime": now})

    def get(self, name: str) -> Json:
        """Return a schedule, or raise RefusedError (NOT_FOUND)."""
        return self._kept.get(name)

    def list(self, database: str) -> Json:
        """Return {"backupSchedules": [...]} of a database."""
        return {"backupSchedules": found} if (found := self._kept.below(f"{database}/backupSchedules")) else {}

    def update(self, name: str, body: Json, mask: Sequence[str] | None) -> Json:
        """Change the retention; RefusedError: NOT_FOUND, or INVALID_ARGUMENT for anything else."""
        paths = list(mask or [key for key in body if key not in {"name", *_RECURRENCES}])
        if paths != ["retention"]:
            raise invalid(f"only the retention of a backup schedule can be changed, not {','.join(paths) or 'nothing'}")
        self._kept.get(name)
        _check_retention(body)
        changed = {"retention": body["retention"], "updateTime": timestamp(self._clock.now())}
        return self._kept.update(name, changed, None)

    def delete(self, name: str) -> Json:
        """Delete a schedule, or raise RefusedError (NOT_FOUND); its backups stay."""
        self._kept.remove(name)
        return {}

    def forget(self, database: str) -> None:
        """Drop the schedules of a database that is gone."""
        self._kept.remove_below(database)


def _check_retention(body: Json) -> None:
    retention = str(body.get("retention", ""))
    match = _RETENTION.fullmatch(retention)
    if not match or not 0 < int(match[1]) <= _LONGEST:
        raise invalid(f"retention {retention!r} is not within 1s and {_LONGEST}s (14 weeks)")
