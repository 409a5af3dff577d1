"""An environment's status as the API server holds it: what is worth a write, and what is said without a decision."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from pydantic import ValidationError

from firelift.api.environment.conditions import EnvironmentConditionType, EnvironmentReason
from firelift.api.environment.status import EnvironmentCondition, EnvironmentStatus
from firelift.kube.client import Json
from firelift.operator.status import said, troubled, without_digits

_PROGRESS = ("progress",)
_REFUSED = {
    EnvironmentConditionType.READY: "False",
    EnvironmentConditionType.RECONCILING: "False",
    EnvironmentConditionType.STALLED: "True",
}


def dump(status: EnvironmentStatus) -> Json:
    """The status as JSON; what is not set is absent."""
    document: Json = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    return document


def conditions(status: Json) -> tuple[EnvironmentCondition, ...]:
    """The conditions of a status as read; one that no longer fits the schema is as if it were not there."""
    found = []
    for entry in status.get("conditions", ()):
        with suppress(ValidationError):
            found.append(EnvironmentCondition.model_validate(entry))
    return tuple(found)


def refused(old: Json, message: str, *, generation: int, now: datetime) -> Json:
    """The status of an object whose spec nobody can read."""
    statuses = _statuses(old) | {kind.value: status for kind, status in _REFUSED.items()}
    return said(old, EnvironmentReason.INVALID_SPEC, message, statuses, generation=generation, now=now)


def with_trouble(old: Json, sentence: str, *, generation: int, now: datetime) -> Json:
    """The status as it stands, and what keeps it from being brought up to date."""
    if (message := troubled(old, sentence, generation)) is None:
        return old
    reason = old.get("reason") or EnvironmentReason.PLANNING.value
    return said(old, reason, message, _statuses(old), generation=generation, now=now)


def essence(status: Json) -> Json:
    """The status without its moving numbers."""
    kept = {name: value for name, value in status.items() if name != "driftSummary"}
    kept["message"] = without_digits(status.get("message", ""))
    for name in ("indexes", "ttls"):
        kept[name] = [_without(each, _PROGRESS) for each in status.get(name, ())]
    kept["drift"] = _without(status.get("drift") or {}, ("checkedTime",))
    kept["conditions"] = [
        {**each, "message": without_digits(each.get("message", ""))} for each in status.get("conditions", ())
    ]
    return kept


def _statuses(status: Json) -> dict[str, str]:
    return {each["type"]: each["status"] for each in status.get("conditions", ())}


def _without(entry: Json, names: tuple[str, ...]) -> Json:
    return {name: value for name, value in entry.items() if name not in names}
