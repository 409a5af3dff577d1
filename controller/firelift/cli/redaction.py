"""Taking secrets out of what is given away: values that must not be in it, and whatever looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from firelift.cli.views import LAST_APPLIED
from firelift.kube.client import Json

HIDDEN = "[redacted]"
_SHORTEST = 4
"""Shorter values than this occur everywhere by chance, and hide nothing."""

_PATTERNS = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        (r"\beyJ[\w-]{8,2000}\.[\w-]{8,}\.[\w-]*", 0),
        (r"\bya29\.[\w.-]+", 0),
        (r"\bAIza[\w-]{30,}", 0),
        (r"\bgh[pousr]_\w{20,}", 0),
        (r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)", 0),
        (r"(?i)(?<=bearer )[\w.~+/=-]{8,}", 0),
        (r"(?i)\b(?:pass(?:word|wd)?|secret|token|api[_-]?key|credentials?)\b[\"']?\s*[=:]\s*[\"']?[^\s\"',;}]+", 0),
    )
)


def planted(document: Json) -> set[str]:
    """The values in a spec that may be secrets: of the workers' environment, of channels, of whatever is named so."""
    found: set[str] = set()
    spec = document.get("spec", {})
    for variable in spec.get("worker", {}).get("env", ()):
        found.add(str(variable.get("value", "")))
    for channel in spec.get("observability", {}).get("channels", {}).values():
        found.update(str(value) for value in channel.get("labels", {}).values())
    return {value for value in found if len(value) >= _SHORTEST}


def of_object(document: Json) -> Json:
    """An object without what people put in by hand: last applied manifests, values of variables, labels of channels."""
    metadata = {key: value for key, value in document.get("metadata", {}).items() if key != "managedFields"}
    annotations = {key: value for key, value in metadata.get("annotations", {}).items() if key != LAST_APPLIED}
    cleaned = {**document, "metadata": {**metadata, **({"annotations": annotations} if annotations else {})}}
    if not annotations:
        cleaned["metadata"].pop("annotations", None)
    if "spec" in cleaned:
        cleaned["spec"] = _hidden(cleaned["spec"], ())
    return cleaned


def text(told: str, secrets: Iterable[str]) -> str:
    """A text without these values, and without whatever looks like a secret."""
    for secret in sorted(secrets, key=len, reverse=True):
        told = told.replace(secret, HIDDEN)
    for pattern in _PATTERNS:
        told = pattern.sub(HIDDEN, told)
    return told


def _hidden(value: Any, within: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: HIDDEN if _is_value(key, within) else _hidden(each, (*within, key)) for key, each in value.items()}
    if isinstance(value, list):
        return [_hidden(each, within) for each in value]
    return value


def _is_value(key: str, within: tuple[str, ...]) -> bool:
    """`env[].value`, and `labels` of a channel; a project's own labels and a rule's value are no secrets."""
    return (key == "value" and "env" in within) or (key == "labels" and "channels" in within)
