"""What a migration makes of one document, as a test writes it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from firelift.migration.transform.plain import same


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """The document that is written. Equal only in type and content: ``1`` is neither ``1.0`` nor ``True``."""

    target: str
    fields: Mapping[str, Any]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moved) and self.target == other.target and same(dict(self.fields), dict(other.fields))

    __hash__ = None  # type: ignore[assignment]  # it holds dicts


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """One-to-many: the documents that are written, by their targets. Equal as `Moved` is."""

    documents: Mapping[str, Mapping[str, Any]]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Split) and same(_plain(self), _plain(other))

    __hash__ = None  # type: ignore[assignment]  # it holds dicts


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Nothing is written: `appliesWhen` is false, the marker is there, or the function answered None."""

    reason: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The document cannot move: the rule that it broke, and how. With `onInvalid: Fail` the run would stop."""

    rule: str
    reason: str


Outcome: TypeAlias = Moved | Split | LeftAlone | DeadLetter


def _plain(split: Split) -> dict[str, dict[str, Any]]:
    return {target: dict(fields) for target, fields in split.documents.items()}
