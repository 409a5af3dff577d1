"""The words of a Cloud Monitoring filter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<operator>!=|<=|>=|=|<|>|:)
      | (?P<mark>[(),])
      | (?P<word>-?[A-Za-z0-9_*][\w./*-]*(?:"[^"]*")?)
      | (?P<minus>-)""",
    re.VERBOSE,
)
_KEYWORDS = frozenset({"AND", "OR", "NOT"})


@dataclass(frozen=True, slots=True)
class Token:
    """A word, string, operator, keyword or bracket; the last one has the kind `end`."""

    kind: str
    text: str
    position: int


def tokens(text: str, bad: Callable[[str], Exception]) -> Iterator[Token]:
    """Split a filter; `bad` makes the error for a character that starts no token."""
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise bad(f"unexpected {text[position]!r} at character {position}")
        token = _token(found)
        if token is not None:
            yield token
        position = found.end()
    yield Token("end", "", len(text))


def _token(found: re.Match[str]) -> Token | None:
    text, position = found.group(), found.start()
    match found.lastgroup:
        case "space":
            return None
        case "string":
            return Token("string", re.sub(r"\\([\"'\\])", r"\1", text[1:-1]), position)
        case "operator":
            return Token("operator", text, position)
        case "word" if text not in _KEYWORDS:
            return Token("word", text.replace('"', ""), position)
        case _:
            return Token(text, text, position)
