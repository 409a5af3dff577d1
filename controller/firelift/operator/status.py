"""The status as the API server holds it: what to write, and when a change is worth a write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from pydantic import ValidationError

from firelift.api.base import FINALIZER
from firelift.api.conditions import Reason, conditions_of
from firelift.api.status import Condition, RolloutStatus
from firelift.kube.client import Json
from firelift.rollout.memory import MESSAGE


class Troubled(Protocol):
    """Adds what keeps a status from being brought up to date, for one kind."""

    def __call__(self, old: Json, sentence: str, *, generation: int, now: datetime) -> Json:
        """The status with it."""
        ...


_ORDER = {reason: place for place, reason in enumerate(Reason)}
_OVER = {Reason.COMPLETED, Reason.REVERTED, Reason.REVERTED_WITH_CONFLICTS}
_ASKED_FIRST = {Reason.DATABASE_NOT_ALLOWED, Reason.BUCKET_NOT_ALLOWED}
"""What a turn asks before all else: where it has found something else, these no longer hold."""
_SHOWN = 300
_TROUBLE = "; at the moment: "
_REMEDY = (
    "The object is being deleted and stays until its locks and its ledger can be given back: restore the access, or "
    f"remove its finalizer {FINALIZER}, and what this rollout holds stays held and is not reverted"
)
_PROGRESS_FIELDS = ("progress", "rate", "pace")
_PROGRESS_OF_PHASES = ("documents", "deadLetters", "conflicts")
_PROGRESS_OF_GATES = ("value", "samples", "time", "message", "last")


def begun(status: Json) -> bool:
    """Whether its own status says that a phase has started, or that it came to an end: only the operator writes it."""
    return bool(status.get("startedPhases")) or status.get("reason") in _OVER


def dump(status: RolloutStatus) -> Json:
    """The status as JSON; what is not set is absent."""
    document: Json = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    return document


def conditions(status: Json) -> tuple[Condition, ...]:
    """The conditions of a status as read; one that no longer fits the schema is as if it were not there."""
    found = []
    for entry in status.get("conditions", ()):
        with suppress(ValidationError):
            found.append(Condition.model_validate(entry))
    return tuple(found)


def worth_writing(
    old: Json,
    new: Json,
    *,
    seconds_since_write: float,
    progress_seconds: float,
    of: Callable[[Json], Json] | None = None,
) -> bool:
    """Whether `new` is to be written: at once when it says anything new, later when only numbers moved.

    `of` takes the moving numbers out of a status; without it those of a rollout are.
    """
    if old == new:
        return False
    taken = of or essence
    return seconds_since_write >= progress_seconds or taken(old) != taken(new)


def told(old: Json, reason: Reason, message: str, *, generation: int, now: datetime, deleting: bool) -> Json:
    """The status with what was found before a decision could be made: beside what is more important, else in its place.

    Of an object that is being deleted nothing is more important than what keeps it from being gone.
    """
    stands = _standing(old, generation, reason)
    if not deleting and stands not in _ASKED_FIRST and _ORDER[stands] < _ORDER[reason]:
        return with_trouble(old, message, generation=generation, now=now)
    if deleting:
        message = f"{message}. {_REMEDY}"
    return with_sentence(old, reason, message, generation=generation, now=now)


def with_trouble(old: Json, sentence: str, *, generation: int, now: datetime) -> Json:
    """The status as it stands, and what keeps it from being brought up to date."""
    if (message := troubled(old, sentence, generation)) is None:
        return old
    return with_sentence(old, _standing(old, generation, Reason.STARTING), message, generation=generation, now=now)


def troubled(old: Json, sentence: str, generation: int) -> str | None:
    """The message as it stands, and what keeps the status from being brought up to date; None when it says so."""
    message = str(old.get("message", ""))
    if sentence[:_SHOWN] in message and old.get("observedGeneration") == generation:
        return None
    known = message.partition(_TROUBLE)[0] or "nothing has been decided yet"
    return f"{known}{_TROUBLE}{sentence}"[:MESSAGE]


def _standing(old: Json, generation: int, otherwise: Reason) -> Reason:
    """The reason that stands; a spec that nobody has decided on yet is never complete."""
    reason = next((each for each in Reason if each.value == old.get("reason")), otherwise)
    return otherwise if reason is Reason.COMPLETED and old.get("observedGeneration") != generation else reason


def with_sentence(old: Json, reason: Reason, message: str, *, generation: int, now: datetime) -> Json:
    """The status as it stands, with another reason: for what is found before a decision can be made."""
    statuses = {kind.value: status.value for kind, status in conditions_of(reason).items()}
    return said(old, reason.value, message, statuses, generation=generation, now=now)


def said(old: Json, reason: str, message: str, statuses: Mapping[str, str], *, generation: int, now: datetime) -> Json:
    """The status as it stands, with this reason and message, and with these conditions by their types."""
    before = {entry["type"]: entry for entry in old.get("conditions", ())}
    time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    entries = [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "observedGeneration": generation,
            "lastTransitionTime": before[kind]["lastTransitionTime"]
            if before.get(kind, {}).get("status") == status
            else time,
        }
        for kind, status in statuses.items()
    ]
    return {**old, "reason": reason, "message": message, "observedGeneration": generation, "conditions": entries}


def essence(status: Json) -> Json:
    """The status without its moving numbers."""
    message = status.get("message", "")
    essence = {name: value for name, value in status.items() if name not in _PROGRESS_FIELDS}
    essence["message"] = without_digits(message)
    essence["phases"] = [_without(phase, _PROGRESS_OF_PHASES) for phase in status.get("phases", ())]
    essence["gates"] = [_without(gate, _PROGRESS_OF_GATES) for gate in status.get("gates", ())]
    essence["conditions"] = [
        {**entry, "message": without_digits(entry.get("message", ""))} for entry in status.get("conditions", ())
    ]
    return essence


def _without(entry: Json, names: tuple[str, ...]) -> Json:
    kept = {name: value for name, value in entry.items() if name not in names}
    if "steps" in kept:
        kept["steps"] = [{**step, "message": without_digits(step.get("message", ""))} for step in kept["steps"]]
    return kept


def without_digits(text: str) -> str:
    """A sentence without its moving numbers."""
    return "".join(character for character in text if not character.isdigit())
