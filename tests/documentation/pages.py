"""The pages that people read, and what stands in them as code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.documentation.generated import ROOT

FOLDERS = ("docs", "examples", "terraform", "charts", "plugin", "controller")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in ROOT.glob(f"{folder}/**/*.md"))])
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^(?:[\w./-]+)?\$ ")


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two fences."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def commands(self) -> list[str]:
        """Each command line, continued lines joined; in a block with prompts only what stands behind one."""
        lines = self.text.replace("\\\n", " ").splitlines()
        prompted = [_PROMPT.sub("", line) for line in lines if _PROMPT.match(line)]
        return prompted or lines


def blocks(page: Path) -> Iterator[Block]:
    """All blocks of a page."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        indent, language, body = found.groups()
        inside = re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)
        yield Block(page, text.count("\n", 0, found.start()) + 1, language, inside)


BLOCKS = [block for page in PAGES for block in blocks(page)]
