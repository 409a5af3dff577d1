"""The verb `soak`: let time and gates judge."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from firelift.api.base import Model


class Evidence(StrEnum):
    """What a soak rests on."""

    GATES = "Gates"
    NONE = "None"


class SoakStep(Model):
    """Wait `seconds` while 95 % of each gate's intervals get a verdict. Without gates say `evidence: None`."""

    seconds: Annotated[int, Field(ge=1, le=31_536_000)]
    """The least time; intervals without a verdict lengthen it."""
    evidence: Evidence = Evidence.GATES
