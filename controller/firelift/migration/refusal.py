"""Why one record cannot move: the exception that becomes its dead letter."""

from __future__ import annotations

from firelift.migration.errors import MigrationError
from firelift.migration.sentences import sentence
from firelift.migration.work import DeadLetter


class Refused(MigrationError):
    """A record broke a rule. `rule` names it: a CEL rule, ``entityKey``, ``target``, ``transform.set.<field>``.

    `reason` may quote what a document or a user's function says, and is cut to what the ledger can hold.
    """

    def __init__(self, rule: str, reason: str) -> None:
        self.rule = sentence(rule)
        self.reason = sentence(reason)
        super().__init__(f"{self.rule}: {self.reason}")

    def dead_letter(self, path: str) -> DeadLetter:
        """The dead letter of the document at `path`."""
        return DeadLetter(path, self.reason, self.rule)
