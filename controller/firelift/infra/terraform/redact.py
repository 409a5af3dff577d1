"""Takes known secrets out of what is about to be said."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

MASK = "(sensitive)"
_TAKEN = "\0"  # stands for the mask until all are taken out: a secret may be part of the mask
_ANYWHERE = 4  # what is shorter is part of many words, and is taken out where it stands by itself
_LINE_ANYWHERE = 8
_SHORTEST_LINE = 4


class Redactor:
    """Knows the secrets of one run; its own text never shows them."""

    def __init__(self, secrets: Iterable[Any] = ()) -> None:
        anywhere: set[str] = set()
        alone: set[str] = set()
        for secret in {text for value in secrets for text in _strings(value) if text.strip()}:
            for form in _forms(secret):
                (anywhere if len(form) >= _ANYWHERE else alone).add(form)
            for line in _lines(secret):
                (anywhere if len(line) >= _LINE_ANYWHERE else alone).add(line)
        self._anywhere = sorted(anywhere, key=len, reverse=True)  # a secret may be part of another
        words = "|".join(re.escape(each) for each in sorted(alone, key=len, reverse=True))
        self._alone = re.compile(rf"(?<!\w)(?:{words})(?!\w)") if words else None

    def __call__(self, text: str) -> str:
        """Return the text without the secrets."""
        for secret in self._anywhere:
            text = text.replace(secret, _TAKEN)
        if self._alone is not None:
            text = self._alone.sub(_TAKEN, text)
        return text.replace(_TAKEN, MASK)

    def __repr__(self) -> str:
        return f"Redactor({len(self._anywhere)} forms of secrets)"


def userinfo(value: str) -> list[str]:
    """What an address such as ``http://user:password@host`` gives away: all before the last ``@``, and the password."""
    found = value.partition("://")[2] or value
    authority, _, _ = re.split(r"[/?#\s]", found, maxsplit=1)[0].rpartition("@")
    parts = [part for part in (authority, authority.partition(":")[2]) if part]
    return [*parts, *map(unquote, parts)]


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
    """The secret as it is, as JSON and an address escape it, and as bytes are sent."""
    yield from (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    sent = secret.encode(errors="surrogatepass")  # JSON can have half of a character, which is no text
    yield from (quote(sent, safe=""), base64.b64encode(sent).decode())


def _lines(secret: str) -> Iterable[str]:
    """Line by line, as a wrapped message shows it."""
    lines = secret.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines if len(line.strip()) >= _SHORTEST_LINE)
