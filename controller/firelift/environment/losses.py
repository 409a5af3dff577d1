"""Which changes can lose data, and what they lose, as a sentence. Anything that is not known to be harmless can."""

from __future__ import annotations

from collections.abc import Iterator

from firelift.api.environment.status import Action
from firelift.environment.document import ResourceChange
from firelift.environment.loss_table import JUDGEMENTS, Judgement

_SAY_NOTHING = frozenset({"id", "skip_wait", "timeouts"})
"""Attributes of many types that are about Terraform, not about the resource."""

_DONE = {Action.CREATE: "made", Action.DELETE: "deleted", Action.REPLACE: "replaced", Action.UPDATE: "changed"}
_UNKNOWN = "nobody has said that this loses nothing"


def loss(change: ResourceChange) -> str:
    """What the change itself loses, whatever the database holds; empty when nothing."""
    if change.action in {Action.FORGET, Action.IMPORT}:
        return ""
    known = JUDGEMENTS.get(change.type)
    if known is None:
        return f"a {change.type} is {_DONE[change.action]}, and {_UNKNOWN}"
    if change.action is Action.CREATE:
        return ""
    if change.removes:
        return known.removed(change)
    return "; ".join(filter(None, (_attribute(change, known, name) for name in _differing(change))))


def _differing(change: ResourceChange) -> Iterator[str]:
    """Attributes that get another value, or one that nobody knows yet; what is empty is as if it were not there."""
    for name in sorted({*change.before, *change.after, *change.unknown}):
        if name in change.unknown or (change.before.get(name) or None) != (change.after.get(name) or None):
            yield name


def _attribute(change: ResourceChange, known: Judgement, name: str) -> str:
    if name in known.harmless or name in _SAY_NOTHING:
        return ""
    if name in known.changed:
        return known.changed[name](change)
    return f"{name} of this {change.type} changes, and {_UNKNOWN}"
