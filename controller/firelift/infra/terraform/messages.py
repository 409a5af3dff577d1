"""What Terraform wrote, read: diagnostics of its JSON lines or of plain text, and the lock that it met."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from firelift.infra.terraform.errors import Diagnostic, StateLock
from firelift.infra.terraform.redact import Redactor

_LOCK_LINE = re.compile(r"^\s*(ID|Path|Operation|Who|Created):[ \t]*(.*?)[ \t\r]*$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LOCK_SUMMARY = "Error acquiring the state lock"
_UNLOCK_SUMMARY = "Error releasing the state lock"
_STALE_SUMMARY = "Saved plan is stale"
_PROVIDER_SUMMARY = "Failed to query available provider packages"
_KEPT = 50
_DETAIL_CHARACTERS = 4000
_TAIL_CHARACTERS = 2000


def diagnostics(lines: Iterable[str], redact: Redactor) -> tuple[Diagnostic, ...]:
    """The first 50 diagnostics of `-json` lines, errors first; lines that are no JSON are passed over."""
    found = [_diagnostic(event["diagnostic"], redact) for event in events(lines) if "diagnostic" in event]
    return tuple(sorted(found, key=lambda one: one.severity != "error")[:_KEPT])


def events(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The JSON objects among the lines."""
    for line in lines:
        if line.startswith("{"):
            try:
                event = json.loads(line)
            except ValueError:
                continue  # cut off by a kill
            if isinstance(event, dict):
                yield event


def _diagnostic(found: dict[str, Any], redact: Redactor) -> Diagnostic:
    return Diagnostic(
        severity=str(found.get("severity", "error")),
        summary=redact(str(found.get("summary", ""))),
        detail=redact(str(found.get("detail", "")))[:_DETAIL_CHARACTERS],
        address=str(found.get("address", "")),
    )


def text_diagnostic(text: str, redact: Redactor) -> tuple[Diagnostic, ...]:
    """What a command without `-json` wrote to standard error, as one diagnostic."""
    plain = _COLOUR.sub("", redact(text))
    said = re.sub(r"^[╷│╵]\s?", "", plain, flags=re.MULTILINE).strip()
    return (Diagnostic("error", said[-_TAIL_CHARACTERS:]),) if said else ()


def lock_of(found: Iterable[Diagnostic]) -> StateLock | None:
    """The lock that a run met, when that is what it failed of."""
    for diagnostic in found:
        text = f"{diagnostic.summary}\n{diagnostic.detail}"
        if _LOCK_SUMMARY in text:
            fields = {key: value for key, value in _LOCK_LINE.findall(text) if value}
            return StateLock(
                id=fields.get("ID", ""),
                who=fields.get("Who", ""),
                operation=fields.get("Operation", "").removeprefix("OperationType"),
                created=_time(fields.get("Created", "")),
                path=fields.get("Path", ""),
            )
    return None


def is_stale(found: Iterable[Diagnostic]) -> bool:
    """Whether a saved plan was refused because the state has moved on."""
    return any(_STALE_SUMMARY in diagnostic.summary for diagnostic in found)


def lacks_provider(found: Iterable[Diagnostic]) -> bool:
    """Whether a provider was found nowhere, or not in a version that is asked for."""
    return any(_PROVIDER_SUMMARY in diagnostic.summary for diagnostic in found)


def is_left_locked(found: Iterable[Diagnostic]) -> bool:
    """Whether a run could not give its lock back."""
    return any(_UNLOCK_SUMMARY in f"{diagnostic.summary}\n{diagnostic.detail}" for diagnostic in found)


def _time(text: str) -> datetime | None:
    """Read Go's `2026-11-21 08:20:03.869665 +0000 UTC`, whose fraction has up to nine digits."""
    match = re.match(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)? ([+-]\d{4})", text)
    if not match:
        return None
    day, time, fraction, zone = match.groups()
    return datetime.fromisoformat(f"{day}T{time}{(fraction or '.0')[:7].ljust(7, '0')}{zone}")
