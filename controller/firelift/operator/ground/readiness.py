"""What serves now, in the words of a spec."""

from __future__ import annotations

import os

from pydantic import ValidationError

from firelift.api.environment.indexes import DOCUMENT_NAME, CompositeIndex
from firelift.api.environment.status import ResourceState
from firelift.environment.observation import GroundSeen, IndexSeen, TtlSeen
from firelift.infra.firestore_admin import DatabaseLookupError
from firelift.infra.firestore_readiness import BuiltIndex, readiness
from firelift.operator.databases import ADMIN_ENDPOINT_VARIABLE


async def seen(project: str, database: str) -> GroundSeen:
    """What the database has now, or why that is not known."""
    try:
        found = await readiness(project, database, os.environ.get(ADMIN_ENDPOINT_VARIABLE) or None)
    except DatabaseLookupError as error:
        return GroundSeen(error=str(error))
    indexes = [
        IndexSeen(each.name, index, _state(each.state), each.since, each.progress)
        for each in found.indexes
        if (index := _declarable(each)) is not None
    ]
    ttls = [TtlSeen(each.collection, each.path, _state(each.state), each.since, each.progress) for each in found.ttls]
    return GroundSeen(absent=found.absent, indexes=tuple(indexes), ttls=tuple(ttls))


def _declarable(index: BuiltIndex) -> CompositeIndex | None:
    """The index as a spec would declare it; None for one that a spec has no words for."""
    vector = any(isinstance(kind, int) for _, kind in index.fields)
    # Before a vector Firestore puts `__name__` by itself, where a spec must not.
    fields = [{"path": path, **_kind(kind)} for path, kind in index.fields if not (vector and path == DOCUMENT_NAME)]
    try:
        return CompositeIndex.model_validate({"collection": index.collection, "scope": index.scope, "fields": fields})
    except ValidationError:
        return None


def _kind(kind: str | int) -> dict[str, object]:
    if isinstance(kind, int):
        return {"vector": {"dimension": kind}}
    return {"arrayConfig": kind} if kind == "CONTAINS" else {"order": kind}


def _state(state: str) -> ResourceState:
    return ResourceState(state) if state in ResourceState.__members__ else ResourceState.CREATING
