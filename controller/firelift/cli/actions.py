"""What a person can do now, as commands that can be pasted."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

_PLUGIN = ("kubectl", "firelift")


@dataclass(frozen=True, slots=True)
class Action:
    """A command and what it leads to."""

    words: tuple[str, ...]
    leads_to: str

    @property
    def line(self) -> str:
        """As it is pasted into a shell."""
        return shlex.join(self.words)


@dataclass(frozen=True, slots=True)
class Commands:
    """Makes commands about one object; `flags` lead to its cluster."""

    argument: str
    namespace: str
    flags: tuple[str, ...] = ()

    def __call__(self, verb: str, *more: str) -> tuple[str, ...]:
        """`kubectl firelift VERB NAME -n NAMESPACE …`."""
        return (*_PLUGIN, *verb.split(), self.argument, "-n", self.namespace, *self.flags, *more)

    def edit(self, plural: str, name: str) -> tuple[str, ...]:
        """`kubectl edit`."""
        return ("kubectl", "edit", plural, name, "-n", self.namespace, *self.flags)

    def edit_namespace(self) -> tuple[str, ...]:
        """`kubectl edit namespace`."""
        return ("kubectl", "edit", "namespace", self.namespace, *self.flags)
