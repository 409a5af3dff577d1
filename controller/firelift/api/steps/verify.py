"""The verb `verify`: compare what should be with what is."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from firelift.api.base import Model, Name, Percentage, Seconds
from firelift.api.lists import AS_SET


class Authority(StrEnum):
    """Who is right where source and target differ."""

    SOURCE = "Source"
    TARGET = "Target"


class VerifyStep(Model):
    """Compare a sample of everything that was moved so far with what it should be."""

    migrations: Annotated[tuple[Name, ...], Field(max_length=12), AS_SET] = ()
    """Which ones. Empty: each that this phase has migrated in front of the step."""
    sample: Percentage = "100%"
    """The share of documents that is looked at."""
    max_mismatch: Percentage = "0%"
    """The share of differences above which the step fails."""
    authority: Authority = Authority.SOURCE
    recheck_seconds: Seconds = 2
    """Differences are looked at again after this long before they count."""
