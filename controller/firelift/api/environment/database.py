"""`spec.database`: one Firestore database, its protection and its backups."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from firelift.api.base import Model
from firelift.api.references import DatabaseId

RetentionDays = Annotated[int, Field(ge=1, le=98)]


class Edition(StrEnum):
    """What the database is sold as."""

    STANDARD = "STANDARD"
    ENTERPRISE = "ENTERPRISE"


class Day(StrEnum):
    """A day of the week."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class DailyBackup(Model):
    """A backup each day."""

    retention_days: RetentionDays
    """For how long each is kept; 98 is the service's own limit."""


class WeeklyBackup(Model):
    """A backup each week."""

    day: Day
    retention_days: RetentionDays
    """For how long each is kept; 98 is the service's own limit."""


class BackupSchedules(Model):
    """At most one daily and one weekly, which is all that Firestore has."""

    daily: DailyBackup | None = None
    weekly: WeeklyBackup | None = None


class DatabaseSpec(Model):
    """A Firestore database in native mode."""

    name: DatabaseId = "(default)"
    """Immutable. Its id in the project."""
    location: Annotated[str, Field(min_length=2, max_length=63, pattern=r"^[a-z][-a-z0-9]*[a-z0-9]$")]
    """Immutable. A region or a multi-region, such as `nam5`."""
    edition: Edition = Edition.STANDARD
    """Immutable. What it is sold as."""
    adopt: bool = False
    """It exists already: the first plan imports it."""
    point_in_time_recovery: bool = True
    """Every version of the last seven days can be read."""
    delete_protection: bool = True
    """Nobody deletes the database before this is false and applied."""
    backups: BackupSchedules = BackupSchedules()
