"""One record as expressions and functions see it, decoded as far as they name its fields, and only once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from firelift.migration.refusal import Refused
from firelift.migration.store import Document, Fields, ValueKit
from firelift.migration.transform import cel
from firelift.migration.transform.names import Names


@dataclass(slots=True)
class View:
    """A document, its entity and the rollout's frozen time. `names` is what all expressions together name of `doc`."""

    kit: ValueKit
    document: Document
    entity: str | None
    now: datetime
    names: Names
    _scope: dict[str, Any] = field(default_factory=dict)

    def scope(self) -> dict[str, Any]:
        """The variables of an expression over the original document.

        Raises:
            Refused: when a field has no plain value.
        """
        if not self._scope:
            plain = decode(self.kit, self.document.fields, self.names)
            document = self.document
            known = cel.variables(self.names.beside, path=document.path, entity=self.entity, now=self.now)
            self._scope = cel.scope(known, doc=plain)
        return self._scope

    def holds_for(self, rule: cel.Expression, fields: Fields) -> bool:
        """Whether a rule is true of the document, or of what it would be with other fields.

        Raises:
            Refused: when it fails.
        """
        if rule.presence is not None:
            name, there = rule.presence
            return (name in fields) is there
        if fields is self.document.fields:
            return rule.is_true(self.scope())
        return rule.is_true(replace(self, document=replace(self.document, fields=fields), _scope={}).scope())

    def scope_with(self, out: Fields, named: Names) -> Mapping[str, Any]:
        """The variables of a rule, which sees the result too."""
        return cel.scope(self.scope(), out=decode(self.kit, out, named))


def decode(kit: ValueKit, fields: Fields, names: Names) -> dict[str, Any]:
    """The plain values of the fields that are named.

    Raises:
        Refused: for a value of a kind that this version does not know.
    """
    decoded: dict[str, Any] = {}
    try:
        for name in fields if names.fields is None else names.fields:
            value = fields.get(name)
            if value is not None:
                decoded[name] = kit.decode(value)
    except (TypeError, ValueError) as error:
        raise Refused("transform", f"an expression names a field that cannot be read: {error}") from error
    return decoded
