"""Backup schedules, and the backups that a person lays down through the control API."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

import grpc
from pydantic import BaseModel, ConfigDict, Field

from firelift.sandbox.google.resources import Json, Resources, timestamp
from firelift.sandbox.google.values import SECOND, RefusedError, invalid

if TYPE_CHECKING:
    from firelift.sandbox.google.calls import Clock

_RECURRENCES = ("dailyRecurrence", "weeklyRecurrence")
_RETENTION = re.compile(r"(\d{1,9})(\.0+)?s")
_LONGEST = 8_467_200
"""Seconds a backup may be kept: 14 weeks."""


class BackupOfNow(BaseModel):
    """A backup laid down by hand, as if a schedule had made it `age_seconds` ago."""

    model_config = ConfigDict(extra="forbid")

    database: str
    age_seconds: float = Field(default=0, ge=0, le=8_467_200)
    retention_seconds: float = Field(default=604_800, gt=0, le=8_467_200)
    size_bytes: int = Field(default=1_000_000, ge=0)
    documents: int = Field(default=1_000, ge=0)
    state: str = Field(default="READY", pattern="^(CREATING|READY|NOT_AVAILABLE)$")


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


class Backups:
    """Backups of all databases by full name, `projects/P/locations/L/backups/ID`; they outlive their database."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept = Resources()

    def lay(self, database: Json, given: BackupOfNow) -> Json:
        """Keep a backup as if a schedule had made it."""
        project = database["name"].split("/")[1]
        taken = self._clock.now() - round(given.age_seconds * SECOND)
        name = f"projects/{project}/locations/{database['locationId']}/backups/{uuid.uuid4()}"
        backup = {
            "name": name,
            "database": database["name"],
            "databaseUid": database["uid"],
            "snapshotTime": timestamp(taken),
            "expireTime": timestamp(taken + round(given.retention_seconds * SECOND)),
            "stats": {"sizeBytes": str(given.size_bytes), "documentCount": str(given.documents), "indexCount": "0"},
            "state": given.state,
        }
        return self._kept.add(name, backup)

    def get(self, name: str) -> Json:
        """Return a backup that has not expired, or raise RefusedError (NOT_FOUND)."""
        backup = self._kept.get(name)
        if backup["expireTime"] <= timestamp(self._clock.now()):
            self._kept.remove(name)
        return self._kept.get(name)

    def list(self, parent: str) -> Json:
        """Return {"backups": [...]} of `projects/P/locations/L`, those that have not expired; L may be `-`."""
        now = timestamp(self._clock.now())
        found = [backup for backup in self._kept.below(f"{parent}/backups") if backup["expireTime"] > now]
        return {"backups": found} if found else {}

    def delete(self, name: str) -> Json:
        """Delete a backup, or raise RefusedError (NOT_FOUND)."""
        self._kept.remove(name)
        return {}


def _check_retention(body: Json) -> None:
    retention = str(body.get("retention", ""))
    match = _RETENTION.fullmatch(retention)
    if not match or not 0 < int(match[1]) <= _LONGEST:
        raise invalid(f"retention {retention!r} is not within 1s and {_LONGEST}s (14 weeks)")
