"""The verb `sweep`: move late-comers and changed sources of what was moved so far, until nothing changes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from firelift.api.base import Model, Name
from firelift.api.lists import AS_SET


class SweepStep(Model):
    """Pass over every cohort that was moved so far, again and again, until a pass writes nothing."""

    migrations: Annotated[tuple[Name, ...], Field(max_length=12), AS_SET] = ()
    """Which ones. Empty: each that this phase has migrated in front of the step."""
    max_passes: Annotated[int, Field(ge=1, le=20)] = 3
    """The step fails when the last of so many passes still writes."""
    pause_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    """How long it rests between two passes."""
