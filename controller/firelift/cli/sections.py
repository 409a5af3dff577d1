"""What commands print: titled sections of labelled lines, as plain text with a little colour."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import click

_INDENT = "  "
_NARROWEST = 40
UNKNOWN = "unknown"


class Tone(StrEnum):
    """How a line is meant; a colour where there are colours."""

    PLAIN = ""
    GOOD = "green"
    WAIT = "yellow"
    BAD = "red"
    DIM = "bright_black"


@dataclass(frozen=True, slots=True)
class Row:
    """A label and what there is to say of it."""

    label: str
    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Section:
    """A title and its rows."""

    title: str
    rows: tuple[Row, ...]


def text(sections: Sequence[Section], *, width: int = 0) -> str:
    """All sections with labels in one column; lines are broken at `width`, or not at all when that is 0."""
    return "\n\n".join(_section(section, width) for section in sections)


def unknown(why: str) -> str:
    """What is not known is said with its reason, and never looks like nothing."""
    return f"{UNKNOWN}: {why}"


def _section(section: Section, width: int) -> str:
    label = max((len(row.label) for row in section.rows), default=0)
    lines = [click.style(section.title, bold=True)]
    for row in section.rows:
        lines += _lines(row, label, width)
    return "\n".join(lines)


def _lines(row: Row, label: int, width: int) -> list[str]:
    head = f"{_INDENT}{row.label.ljust(label)}{_INDENT}" if label else _INDENT
    room = width - len(head)
    parts = textwrap.wrap(row.text, room, break_long_words=False, break_on_hyphens=False) if room >= _NARROWEST else []
    first, *more = parts or [row.text]
    paint = (lambda part: click.style(part, fg=row.tone.value)) if row.tone else str
    return [head + paint(first), *(" " * len(head) + paint(part) for part in more)]
