"""What an aggregate makes of documents of a test: the groups that the worker would make, and what each comes to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from firelift.migration.aggregate.gather import Gathered
from firelift.migration.aggregate.groups import Aggregation
from firelift.migration.aggregate.strays import WITHOUT_ENTITY
from firelift.migration.path_order import order
from firelift.migration.refusal import Refused
from firelift.migration.store import Document
from firelift.migration.transform.transform import LeftAlone, Result

Grouped: TypeAlias = dict[str, Result | LeftAlone | Refused]
"""By target; what belongs to no group by its own path."""


def grouped(aggregation: Aggregation, documents: Iterable[Document]) -> Grouped:
    """What the worker would make of these documents together."""
    gathered, found = Gathered(aggregation, lambda _: True), Grouped()
    entities: dict[str, None] = {}
    for document in sorted(documents, key=lambda document: order(document.path)):
        entity = _entity(aggregation, document)
        if entity is None:
            found[document.path] = WITHOUT_ENTITY
            continue
        entities[entity] = None
        gathered.add(entity, document)
    for groups in gathered.of(entities).values():
        for group in groups:
            match aggregation.result(group):
                case None:
                    found[group.target] = LeftAlone("the function answered None")
                case Refused() as refused:
                    found[group.target] = refused
                case fields:
                    found[group.target] = Result(group.target, fields)
    return found


def _entity(aggregation: Aggregation, document: Document) -> str | None:
    try:
        return aggregation.transform.entity(document)
    except Refused:
        return None
