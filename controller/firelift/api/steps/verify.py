"""The verb `verify`: compare what should be with what is."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from firelift.api.base import UNIQUE, Model, Name, Percentage, Seconds


class Authority(StrEnum):
    """Who is right where source and target differ."""

    SOURCE = "Source"
    TARGET = "Target"


class VerifyStep(Model):
    """Compare a sample of everything that was moved so far; empty `migrations` means each one of this phase.

    Differences are looked at again after `recheck_seconds` before they count.
    """

    migrations: Annotated[tuple[Name, ...], Field(max_length=20, json_schema_extra=UNIQUE)] = ()
    sample: Percentage = "100%"
    max_mismatch: Percentage = "0%"
    authority: Authority = Authority.SOURCE
    recheck_seconds: Seconds = 2
