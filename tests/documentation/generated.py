"""Parts of pages that are made of code, between `<!-- name -->` and `<!-- end of name -->`: `make readmes`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Part:
    """One generated part of a page below docs/."""

    page: str
    name: str
    make: Callable[[], str]

    @property
    def path(self) -> Path:
        """Where the page is."""
        return ROOT / "docs" / self.page

    def expected(self) -> str:
        """The page with this part as it must be."""
        begin, end = f"<!-- {self.name} -->\n", f"<!-- end of {self.name} -->"
        before, found, rest = self.path.read_text(encoding="utf-8").partition(begin)
        _old, ended, after = rest.partition(end)
        assert found, f"{self.page} has no {begin}"
        assert ended, f"{self.page} has no {end}"
        return f"{before}{begin}{self.make()}{end}{after}"

    def write(self) -> None:
        """Bring the page up to date."""
        self.path.write_text(self.expected(), encoding="utf-8")


def cell(text: str) -> str:
    """Text as a cell of a Markdown table; what stands between back quotes is code, and stays as it is."""
    parts = " ".join(text.split()).replace("``", "`").replace("|", "\\|").split("`")
    return "`".join(
        part if index % 2 else part.replace("*", "\\*").replace("<", "&lt;") for index, part in enumerate(parts)
    )
