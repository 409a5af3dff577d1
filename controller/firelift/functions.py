"""What a transform function of your own is given, for its annotations: import it from here.

from firelift.functions import Context, Document

def convert(doc: Document, context: Context) -> Document | None: ...
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]
"""Fields by their names, as plain Python values: docs/transforms.md has the table."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a function knows beside the document; all of it is plain and frozen, and nothing of it can write.

    `id` and `path` are the source document's, the path relative to the database: ``users/ada``. `entity` is the text of
    its `entityKey`, None for a record without one. `now` is the rollout's start in UTC, the same in every run.
    """

    id: str
    path: str
    entity: str | None
    now: datetime
