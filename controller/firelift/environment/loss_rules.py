"""What one kind of change to one kind of resource loses, as a sentence; empty when it loses nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from firelift.api.environment.status import Action
from firelift.environment.document import ResourceChange

LossRule: TypeAlias = Callable[[ResourceChange], str]

_DAY = 86_400
_NAMES = ("secret_id", "project_id", "service", "account_id", "name")


def nothing(_: ResourceChange) -> str:
    """Whatever changes: it can be made again from the spec, or is judged by what uses it."""
    return ""


def says(sentence: str) -> LossRule:
    """Whatever changes; `{name}` is that of the resource."""
    return lambda change: sentence.format(name=_name(change))


def leaves(attribute: str, *guards: str, says: str) -> LossRule:
    """An attribute that guards something as long as it has one of these values."""

    def judged(change: ResourceChange) -> str:
        before, after = (str(each.get(attribute)).upper() for each in (change.before, change.after))
        return says.format(name=_name(change)) if before in guards and after not in guards else ""

    return judged


def becomes(attribute: str, says: str) -> LossRule:
    """Another value, whichever; `{before}` and `{after}` are the two."""

    def judged(change: ResourceChange) -> str:
        before, after = (each.get(attribute) or "none" for each in (change.before, change.after))
        return says.format(name=_name(change), before=before, after=after)

    return judged


def kept_no_more(*kept: str) -> LossRule:
    """`deletion_policy` of what a destroy was to leave behind."""
    return leaves(
        "deletion_policy", *kept, says="a later destroy would delete {name} for good, where it was to be kept"
    )


def database(change: ResourceChange) -> str:
    """Its deletion, abandonment or replacement."""
    name = change.before.get("name") or change.key or "(default)"
    if change.action is Action.REPLACE:
        return f"database {name} is deleted with all its documents and made anew, because {_why(change)} changes"
    if change.before.get("deletion_policy") == "DELETE":
        return f"database {name} is deleted with all its documents, indexes and point-in-time recovery"
    return f"database {name} is abandoned: it stays, is billed, and nothing here knows of it any more"


def retention(change: ResourceChange) -> str:
    """How long a backup schedule keeps what it makes."""
    before, after = _seconds(change.before.get("retention")), _seconds(change.after.get("retention"))
    if before is None or after is None:
        return f"backup schedule {_name(change)} may keep backups for less long"
    if after < before:
        return (
            f"backup schedule {_name(change)} keeps backups for {_days(after)} where it kept them for {_days(before)}"
        )
    return ""


def ttl(change: ResourceChange) -> str:
    """A TTL that stays; a new one is judged by the documents that it watches, and none deletes nothing."""
    before, after = _offset(change.before.get("ttl_config")), _offset(change.after.get("ttl_config"))
    if before is None or after is None or after >= before:
        return ""
    where = f"{change.before.get('collection')}.{change.before.get('field')}"
    return f"the TTL on {where} deletes documents {_days(before - after)} sooner, those that are past it then at once"


def secret_version(change: ResourceChange) -> str:
    """A value that goes; one that is only switched off can be switched on again."""
    if change.before.get("deletion_policy") in {"ABANDON", "DISABLE"}:
        return ""
    return f"a value of secret {_name(change)} is destroyed and cannot be had again"


def waits_less(change: ResourceChange) -> str:
    """The time for which a destroyed value of a secret can be had back."""
    before, after = (_seconds(each.get("version_destroy_ttl")) or 0.0 for each in (change.before, change.after))
    if after >= before:
        return ""
    return (
        f"a destroyed value of secret {_name(change)} can be had back for {_days(after)} where it was {_days(before)}"
    )


def billing(change: ResourceChange) -> str:
    """Who pays for a project."""
    before, after = change.before.get("billing_account"), change.after.get("billing_account")
    if not before:
        return ""
    other = f"billing account {after}" if after else "none"
    return f"project {_name(change)} is billed to {other} instead of {before}: without billing its data goes"


def service(change: ResourceChange) -> str:
    """A service that goes from the declared ones, which need not switch it off."""
    if change.before.get("disable_on_destroy") is False:
        return ""
    return f"service {_name(change)} is disabled for everybody in the project"


def disabling(change: ResourceChange) -> str:
    """Whether it would be switched off when it goes."""
    if change.after.get("disable_on_destroy") is False:
        return ""
    return f"a later destroy would disable service {_name(change)} for everybody in the project"


def _name(change: ResourceChange) -> str:
    return change.key or next((str(change.before[each]) for each in _NAMES if change.before.get(each)), change.name)


def _offset(config: Any) -> float | None:
    """Seconds behind the field's time at which documents go; None without a TTL."""
    if not config:
        return None
    return _seconds((config[0] or {}).get("expiration_offset")) or 0.0


def _seconds(duration: Any) -> float | None:
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)s", str(duration))
    return float(match.group(1)) if match else None


def _days(seconds: float) -> str:
    return f"{seconds / _DAY:g} days"


def _why(change: ResourceChange) -> str:
    told = [_told(change, path) for path in change.replaced_for]
    return ", ".join(told) or "something that cannot be changed"


def _told(change: ResourceChange, path: str) -> str:
    before, after = change.before.get(path), change.after.get(path)
    plain = all(isinstance(value, str | int | bool) for value in (before, after))
    return f"{path} ({before} to {after})" if plain else path
