"""Why one record cannot move: the exception that becomes its dead letter."""

from __future__ import annotations

from firelift.migration.errors import MigrationError
from firelift.migration.sentences import sentence
from firelift.migration.work import DeadLetter


class Refused(MigrationError):
    """A record broke a rule. `rule` names it: a CEL rule, ``entityKey``, ``target``, ``transform.set.<field>``.

    `reason` names documents, fields and types and no value, so that it may be shown to anybody. `quotes` is what a
    stranger's code says of the values, such as a user's function: it is kept in the ledger, beside the values
    themselves, and shown nowhere else. Both are cut to what the ledger can hold.
    """

    def __init__(self, rule: str, reason: str, quotes: str = "") -> None:
        self.rule = sentence(rule)
        self.reason = sentence(reason)
        self.quotes = sentence(quotes)
        super().__init__(f"{self.rule}: {self.reason}")

    @property
    def whole(self) -> str:
        """The reason with what it quotes: for the ledger, and for somebody who has the values at hand."""
        return f"{self.reason}: {self.quotes}" if self.quotes else self.reason

    def within(self, what: str, rule: str = "") -> Refused:
        """The same of a part, or as the consequence for another rule."""
        return Refused(rule or self.rule, f"{what}: {self.reason}", self.quotes)

    def dead_letter(self, path: str) -> DeadLetter:
        """The dead letter of the document at `path`."""
        return DeadLetter(path, self.whole, self.rule)
