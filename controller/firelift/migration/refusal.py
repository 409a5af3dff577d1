"""Why one record cannot move: the exception that becomes its dead letter."""

from __future__ import annotations

from firelift.migration.errors import MigrationError
from firelift.migration.work import DeadLetter


class Refused(MigrationError):
    """A record broke a rule. `rule` names it: a CEL rule, ``entityKey``, ``target``, ``transform.set.<field>``."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(f"{rule}: {reason}")
        self.rule = rule
        self.reason = reason

    def dead_letter(self, path: str) -> DeadLetter:
        """The dead letter of the document at `path`."""
        return DeadLetter(path, self.reason, self.rule)
