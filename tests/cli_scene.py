"""Objects as the API server would have them, of the machines' own statuses, and commands as a person pastes them."""

from __future__ import annotations

import shlex
from typing import Any

import click
from tests.environment_world import World as Ground
from tests.rollout_world import World

from firelift.api.base import API_VERSION
from firelift.cli import views
from firelift.cli.main import cli
from firelift.cli.sections import Section, text
from firelift.cli.views import EnvironmentView, RolloutView

Json = dict[str, Any]


def rollout_document(one: World) -> Json:
    """The rollout of a world with the status that the machine has made."""
    rollout = one.rollout
    return _document("MigrationRollout", rollout.namespace, rollout.name, rollout.generation) | {
        "spec": rollout.spec.model_dump(mode="json", by_alias=True, exclude_none=True),
        "status": one.status.model_dump(mode="json", by_alias=True, exclude_none=True) if one.status else {},
    }


def rollout_view(one: World) -> RolloutView:
    return views.rollout(rollout_document(one))


def environment_view(one: Ground) -> EnvironmentView:
    assert one.status is not None
    environment = one.environment
    head = _document("FirestoreEnvironment", environment.namespace, environment.name, environment.generation)
    spec = environment.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    status = one.status.model_dump(mode="json", by_alias=True, exclude_none=True)
    return views.environment({**head, "spec": spec, "status": status})


def shown(*sections: Section) -> str:
    """As it is printed where nobody looks."""
    return click.unstyle(text(sections))


def commands_in(page: str) -> list[list[str]]:
    """Every command that a page shows on a line of its own."""
    lines = (line.strip().removeprefix("$ ") for line in page.splitlines())
    return [shlex.split(line) for line in lines if line.startswith("kubectl ")]


def parse(words: list[str]) -> None:
    """Parse a command as the plugin would, and run nothing; `kubectl edit` needs no more than to be whole.

    Raises:
        click.UsageError: it makes no sense.
    """
    if words[:2] == ["kubectl", "edit"]:
        assert len(words) >= 4
        return
    assert words[:2] == ["kubectl", "firelift"]
    command: click.Command = cli
    context, rest = click.Context(cli), words[2:]
    while isinstance(command, click.Group):
        found = command.get_command(context, rest[0])
        assert found is not None, f"there is no command {rest[0]}"
        command, rest = found, rest[1:]
    command.make_context(command.name or "", rest, parent=context)


def _document(kind: str, namespace: str, name: str, generation: int) -> Json:
    metadata = {"name": name, "namespace": namespace, "uid": "uid-1", "generation": generation, "resourceVersion": "7"}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata}
