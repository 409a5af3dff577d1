"""Who may hold a state's lock: what is remembered of runs, of their operators, and of the lock that a run met."""

from __future__ import annotations

from datetime import datetime

from firelift.api.base import Model

INSTANCES = 20


class Pod(Model):
    """A pod that was seen in the cluster. Its uid is never used again, its name may be."""

    namespace: str
    name: str
    uid: str


class LockRecord(Model):
    """The state's lock as a run met it."""

    id: str
    who: str = ""
    host: str = ""
    operation: str = ""
    created: datetime | None = None
    seen: datetime
    """When a run last met it."""
    since: datetime
    """When a run first met it."""
    released: bool = False


class Worked(Model):
    """A run that may hold a lock, or may have left one: what a lock is recognised by.

    One that has provably given its lock back, or never got it, is none any more.
    """

    by: str
    host: str
    started: datetime
    ended: datetime | None = None
    """When it was known to have ended, however it did."""
    place: str = ""
    """The directory that tells whether the operator lives, to whoever has the same one."""
    pod: Pod | None = None
    """The operator's pod; None when it ran outside of the cluster."""
