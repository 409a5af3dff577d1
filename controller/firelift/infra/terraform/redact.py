"""Takes known secrets out of what is about to be said."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "(sensitive)"
_SHORTEST = 4  # taking out anything shorter would make messages unreadable and hide nothing
_SHORTEST_LINE = 8


class Redactor:
    """Knows the secrets of one run; its own text never shows them."""

    def __init__(self, secrets: Iterable[Any] = ()) -> None:
        found = {form for value in secrets for text in _strings(value) for form in _forms(text)}
        self._secrets = sorted(found, key=len, reverse=True)  # a secret may be part of another

    def __call__(self, text: str) -> str:
        """Return the text without the secrets."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _strings(part)


def _forms(secret: str) -> Iterable[str]:
    """The secret as it is, as JSON escapes it, and line by line as a wrapped message shows it."""
    candidates = [secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]
    yield from (text for text in candidates if len(text) >= _SHORTEST)
    yield from (line.strip() for line in secret.splitlines() if len(line.strip()) >= _SHORTEST_LINE)
