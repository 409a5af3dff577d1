"""What a check of a real project found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Proven and refuted are what the database showed; it may also have no answer, as the emulator often has not."""

    PROVEN = "proven"
    REFUTED = "refuted"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of the probe. `observed` is a sentence with the numbers."""

    check: str
    claim: str
    verdict: Verdict
    observed: str
    needed: bool

    @property
    def line(self) -> str:
        """For people, and for whoever greps."""
        use = "" if self.needed or self.verdict is not Verdict.REFUTED else " (Firelift does not rely on it)"
        return f"{self.verdict:<10}  {self.check}: {self.claim}: {self.observed}{use}"

    @property
    def harmful(self) -> bool:
        """Whether Firelift relies on what this database does not do."""
        return self.needed and self.verdict is Verdict.REFUTED


class Refuted(Exception):
    """A claim does not hold; the message says what was observed."""


class Unanswered(Exception):
    """This database cannot say; the message says why."""
