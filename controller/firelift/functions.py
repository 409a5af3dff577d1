"""What a transform function of your own is given and answers: import it from here for its annotations.

A function is ``(doc: Document, context: Context) -> Document | None``; one that splits its source, with `python.many`,
is ``(doc: Document, context: Context) -> list[Document | Element] | None``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Element:
    """One of the documents that a function with `many` makes of its source.

    `key` is what ``{item}`` stands for in `target.document`, for what is part of the path and not of the document;
    empty: the fields themselves.
    """

    fields: Document
    key: Mapping[str, Any] = field(default_factory=dict)
