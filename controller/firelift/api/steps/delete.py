"""The verb `delete`: clean up the sources of what was moved."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from firelift.api.base import Model, Name
from firelift.api.lists import AS_SET


class DeleteStep(Model):
    """Delete the sources of everything that was moved so far, each in a Commit that also verifies its target."""

    migrations: Annotated[tuple[Name, ...], Field(min_length=1, max_length=12), AS_SET]
    """Their names; each of them must copy."""
