"""Which variables and which fields of `doc` and `out` an expression names, so that only those are made.

A reading of the expression's tokens, not of its tree: it may name a field too many (a macro's own variable may be
called `doc`), never one too few. What it cannot follow, such as ``doc[id]`` or ``size(doc)``, asks for all fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(
    r"""
    (?P<skip>\s+|//[^\n]*)
  | (?P<raw>(?:[bB]?[rR]|[rR][bB])(?:\"\"\".*?\"\"\"|'''.*?'''|"[^"]*"|'[^']*'))
  | (?P<string>[bB]?(?:\"\"\"(?:\\.|.)*?\"\"\"|'''(?:\\.|.)*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))
  | (?P<quoted>`[^`]*`)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<number>\d[\w.]*)
  | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
BESIDE = frozenset({"id", "path", "entity", "now"})
"""The variables that every expression may name."""

SIMPLE_KEY = re.compile(r"""(["'])([^"'\\]*)\1""")


@dataclass(frozen=True, slots=True)
class Names:
    """The top-level fields that the uses of a variable name; None for all of them. `used`: it occurs at all.

    `beside` has the variables of `BESIDE` that occur.
    """

    used: bool
    fields: frozenset[str] | None
    beside: frozenset[str] = frozenset()

    def union(self, other: Names) -> Names:
        """What two expressions name together."""
        both = self.fields is not None and other.fields is not None
        fields = (self.fields or frozenset()) | (other.fields or frozenset()) if both else None
        return Names(self.used or other.used, fields, self.beside | other.beside)


NOTHING = Names(used=False, fields=frozenset())


def names(expression: str, variable: str) -> Names:
    """What an expression names of a variable that is a map."""
    tokens = [*_tokens(expression), ("end", ""), ("end", ""), ("end", "")]
    beside = BESIDE.intersection(text for kind, text in tokens if kind == "name")
    found: set[str] = set()
    used = False
    for position, token in enumerate(tokens):
        if token != ("name", variable):
            continue
        used = True
        field = _field(tokens[position + 1 : position + 4])
        if field is None:
            return Names(used=True, fields=None, beside=beside)
        found.add(field)
    return Names(used, frozenset(found), beside)


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    for match in TOKEN.finditer(expression):
        kind = match.lastgroup or "sign"
        if kind != "skip":
            yield kind, match[0]


def _field(following: list[tuple[str, str]]) -> str | None:
    first, (kind, text), last = following
    if first == ("sign", ".") and kind in {"name", "quoted"}:
        return text.strip("`")
    key = SIMPLE_KEY.fullmatch(text) if kind == "string" else None
    if first == ("sign", "[") and key and last == ("sign", "]"):
        return key[2]
    return None
