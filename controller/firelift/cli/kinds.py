"""The kinds that commands are about, and how people name their objects."""

from __future__ import annotations

from dataclasses import dataclass

import click
from click.shell_completion import CompletionItem

from firelift.api import approval, environment, rollout
from firelift.api.base import GROUP, VERSION


@dataclass(frozen=True, slots=True)
class Kind:
    """A custom resource: `words` are what a person may call it."""

    kind: str
    plural: str
    words: tuple[str, ...]

    def path(self, namespace: str, name: str = "") -> str:
        """Of an object, or of all of a namespace; of all namespaces when that is empty."""
        within = f"/namespaces/{namespace}" if namespace else ""
        return f"/apis/{GROUP}/{VERSION}{within}/{self.plural}" + (f"/{name}" if name else "")

    def title(self, name: str) -> str:
        """As kubectl names what it has changed."""
        return f"{self.kind.lower()}.{GROUP}/{name}"


ROLLOUT = Kind(rollout.KIND, rollout.PLURAL, ("rollout", "rollouts", "mroll"))
ENVIRONMENT = Kind(environment.KIND, environment.PLURAL, ("env", "environment", "environments", "fsenv"))
APPROVAL = Kind(approval.KIND, approval.PLURAL, ("approval", "approvals", "mapproval"))
KINDS = (ROLLOUT, ENVIRONMENT, APPROVAL)


@dataclass(frozen=True, slots=True)
class Ref:
    """An object in the namespace of the command."""

    kind: Kind
    name: str

    @property
    def argument(self) -> str:
        """As it is given to a command."""
        return self.name if self.kind is ROLLOUT else f"{self.kind.words[0]}/{self.name}"


def kind_of(word: str) -> Kind | None:
    """The kind that a word means; None when it means none."""
    word = word.lower().removesuffix(f".{GROUP}")
    return next((kind for kind in KINDS if word in {*kind.words, kind.plural, kind.kind.lower()}), None)


class RefType(click.ParamType[Ref]):
    """`NAME` of a rollout, or `KIND/NAME`."""

    name = "[kind/]name"

    def __init__(self, *kinds: Kind) -> None:
        self._kinds = kinds

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Ref:
        """Parse it."""
        if isinstance(value, Ref):
            return value
        word, slash, name = str(value).rpartition("/")
        kind = kind_of(word) if slash else self._kinds[0]
        if kind not in self._kinds or not name:
            words = " or ".join(f"{each.words[0]}/NAME" for each in self._kinds)
            self.fail(f"{value!r} must be NAME of a {self._kinds[0].words[0]}, or {words}", param, ctx)
        return Ref(kind, name)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - its base's signature
        """The names that are in the cluster."""
        from firelift.cli.names import complete  # noqa: PLC0415 - the Kubernetes client loads slowly

        return [CompletionItem(name) for name in complete(self._kinds, ctx.params, incomplete)]
