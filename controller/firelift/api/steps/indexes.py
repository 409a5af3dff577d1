"""The verb `indexes`: wait until what queries need is built."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from firelift.api.base import Model, ObjectName
from firelift.api.lists import AS_SET

IndexName = Annotated[str, Field(min_length=1, max_length=128)]


class IndexesStep(Model):
    """Wait until composite indexes of a `FirestoreEnvironment` are READY, as the Firestore Admin API has them."""

    environment: ObjectName
    """It declares them, in the rollout's namespace and for the rollout's database."""
    names: Annotated[tuple[IndexName, ...], Field(max_length=100), AS_SET] = ()
    """Their keys there. Empty: all that it declares."""
    min_ready_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    """For how long each must have been READY."""
