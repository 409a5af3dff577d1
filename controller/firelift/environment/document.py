"""A plan as `terraform show -json` writes it, read: which resource changes how, and the digest over all of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from firelift.api.digest import digest
from firelift.api.environment.status import Action

_MODULES = re.compile(r'^(?:module\.[A-Za-z0-9_-]+(?:\["(?:[^"\\]|\\.)*"\]|\[\d+\])?\.)+')
_QUIET = {("no-op",), ("read",)}
_ACTIONS: Mapping[tuple[str, ...], Action] = {
    ("create",): Action.CREATE,
    ("update",): Action.UPDATE,
    ("delete",): Action.DELETE,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
    ("forget",): Action.FORGET,
    ("create", "forget"): Action.REPLACE,
    ("forget", "create"): Action.REPLACE,
}
_VOLATILE = frozenset({"etag", "earliest_version_time", "update_time"})
"""Attributes that Google changes by itself: two plans of one ground must not differ by them."""


class UnreadablePlan(Exception):
    """The document is none that Terraform has written whole."""


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """One resource that a plan does something with.

    `address` is short where that names it, `full_address` has the modules; `before` and `after` are its attributes,
    empty where it is not there. `unknown` are those that are known only after the apply.
    """

    address: str
    full_address: str
    type: str
    name: str
    key: str
    action: Action
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    unknown: frozenset[str] = frozenset()
    replaced_for: tuple[str, ...] = ()
    importing: str = ""
    moved_from: str = ""
    deposed: str = ""
    quiet: bool = False
    """Whether nothing of it changes outside of Terraform's state."""

    @property
    def moves_only(self) -> bool:
        """Whether it only gets another address."""
        return bool(self.moved_from) and self.quiet

    @property
    def removes(self) -> bool:
        """Whether the resource as it is now is taken away by Terraform."""
        return self.action in {Action.DELETE, Action.REPLACE}


def resource_changes(document: Mapping[str, Any]) -> tuple[ResourceChange, ...]:
    """What the plan does, by address. What it only reads or leaves as it is is left out."""
    entries = [entry for entry in _entries(document) if _matters(entry)]
    full = [str(entry["address"]) for entry in entries]
    counted = Counter(map(short, full))
    names = {address: short(address) if counted[short(address)] == 1 else address for address in full}
    changes = [_change(entry, names[str(entry["address"])]) for entry in entries]
    return tuple(sorted(changes, key=lambda change: (change.address, change.deposed)))


def output_changes(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The outputs that the plan changes."""
    found = document.get("output_changes") or {}
    return tuple(sorted(name for name, change in found.items() if tuple(change.get("actions", ())) not in _QUIET))


def short(address: str) -> str:
    """An address without the modules that it is in."""
    return _MODULES.sub("", address)


def plan_digest(
    document: Mapping[str, Any],
    *,
    lineage: str,
    serial: int,
    lock_file: str,
    modules: str,
    purpose: str,
    attempt: int,
) -> str:
    """What an approval names: every change with its values, outputs, modules, providers and the state it was made of.

    With the attempt: whatever was decided about a plan ends when `attempt` rises, and the same plan is asked anew.

    The order in which a document lists its parts does not count. Resources that stay as they are do not either.
    """
    return digest(
        {
            "changes": sorted((_canonical(entry) for entry in _entries(document) if _matters(entry)), key=_place),
            "outputs": {name: (document.get("output_changes") or {})[name] for name in output_changes(document)},
            "lockFile": lock_file,
            "modules": modules,
            "lineage": lineage,
            "serial": serial,
            "purpose": purpose,
            "attempt": attempt,
        }
    )


def _entries(document: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    if "format_version" not in document or document.get("errored"):
        raise UnreadablePlan("Terraform's plan is not whole")
    entries = document.get("resource_changes") or []
    for entry in entries:
        if not isinstance(entry, Mapping) or "address" not in entry or "actions" not in entry.get("change", {}):
            raise UnreadablePlan("a change in Terraform's plan has no address or no actions")
    return [entry for entry in entries if entry.get("mode", "managed") == "managed"]


def _matters(entry: Mapping[str, Any]) -> bool:
    change = entry["change"]
    quiet = tuple(change["actions"]) in _QUIET
    return not quiet or bool(change.get("importing")) or _moved_from(entry) != ""


def _moved_from(entry: Mapping[str, Any]) -> str:
    before = str(entry.get("previous_address") or "")
    return before if before != entry["address"] else ""


def _change(entry: Mapping[str, Any], address: str) -> ResourceChange:
    change = entry["change"]
    importing = change.get("importing") or {}
    return ResourceChange(
        address=address,
        full_address=str(entry["address"]),
        type=str(entry.get("type", "")),
        name=str(entry.get("name", "")),
        key=str(entry.get("index", "")),
        action=_action(tuple(change["actions"]), imports=bool(importing)),
        before=change.get("before") or {},
        after=change.get("after") or {},
        unknown=frozenset(_unknown(change.get("after_unknown"))),
        replaced_for=tuple(sorted(".".join(map(str, path)) for path in change.get("replace_paths") or ())),
        importing=str(importing.get("id", "")),
        moved_from=_moved_from(entry),
        deposed=str(entry.get("deposed") or ""),
        quiet=tuple(change["actions"]) in _QUIET and not importing,
    )


def _action(actions: tuple[str, ...], *, imports: bool) -> Action:
    if actions in _QUIET:
        return Action.IMPORT if imports else Action.UPDATE
    if actions not in _ACTIONS:
        raise UnreadablePlan(f"a change in Terraform's plan has actions {', '.join(actions)}, which nobody has judged")
    return _ACTIONS[actions]


def _unknown(found: Any) -> Iterable[str]:
    return (key for key, value in found.items() if value) if isinstance(found, Mapping) else ()


def _canonical(entry: Mapping[str, Any]) -> dict[str, Any]:
    change = {
        key: _steady(value) if key in {"before", "after", "after_unknown"} else value
        for key, value in entry["change"].items()
        if value
    }
    return {
        "address": entry["address"],
        "deposed": entry.get("deposed") or "",
        "previousAddress": _moved_from(entry),
        "provider": entry.get("provider_name", ""),
        "change": change,
    }


def _steady(attributes: Any) -> Any:
    if not isinstance(attributes, Mapping):
        return attributes
    return {key: value for key, value in attributes.items() if key not in _VOLATILE}


def _place(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(entry["address"]), str(entry["deposed"])
