"""The verb `approve`: wait for people."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from firelift.api.base import Model, Sentence


class ApproveStep(Model):
    """Wait for `count` approvals of this very plan by different people."""

    count: Annotated[int, Field(ge=1, le=10)] = 1
    """How many people."""
    message: Sentence = ""
    """What they should look at before they do."""
