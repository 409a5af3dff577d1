"""The verb `restore`: documents as an export has them, over what is there."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.lists import AS_SET
from firelift.api.rules import Rule, RuledModel, Rules
from firelift.api.steps.backup import MOST_COLLECTIONS, CollectionId, ExportUri


def _is_ours(collection: str) -> bool:
    return collection == "_firelift" or collection.startswith(("firelift_", "__"))


class RestoreStep(RuledModel):
    """Import collection groups from an export. An import deletes nothing: documents created since then stay."""

    export: ExportUri
    """Where the export lies. An approval must name it in `restores`."""
    collections: Annotated[tuple[CollectionId, ...], Field(min_length=1, max_length=MOST_COLLECTIONS), AS_SET]
    """The collection groups that are imported. All of them must be named: a whole export holds ledgers as they were."""

    rules: ClassVar[Rules] = (
        Rule(
            "self.collections.all(c, c != '_firelift' && !c.startsWith('firelift_') && !c.startsWith('__'))",
            "`collections` of a restore step must not have `_firelift` or names that start with `firelift_` or `__`:"
            " the ledgers would forget what has been done since",
            lambda step: not any(map(_is_ours, step.collections)),
            field=".collections",
        ),
    )
