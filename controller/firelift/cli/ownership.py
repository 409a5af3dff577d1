"""Who has set which field of a spec, and the one request that makes a wish true under our own field manager.

Server-side apply names all that a manager stands for, so what was set by earlier commands is said again. A field that
somebody else set cannot be taken away so; a merge patch of the very version that was read does that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from firelift.api.base import API_VERSION
from firelift.cli.views import LAST_APPLIED, AnyView
from firelift.cli.wishes import Wish
from firelift.kube.client import Cluster, Json

MANAGER = "kubectl-firelift"
FIELDS = frozenset({"suspend", "intent", "revertTo", "attempt"})


@dataclass(frozen=True, slots=True)
class Request:
    """A patch: by server-side apply, or by merge where another manager's field has to go."""

    body: Json
    merge: bool = False


def owners(document: Json, name: str) -> frozenset[tuple[str, str]]:
    """Who has set a field of the spec, each with the operation it was done by: Apply or Update."""
    found = set()
    for entry in document["metadata"].get("managedFields", ()):
        if f"f:{name}" in entry.get("fieldsV1", {}).get("f:spec", {}) and not entry.get("subresource"):
            found.add((str(entry["manager"]), str(entry["operation"])))
    return frozenset(found)


def request(view: AnyView, wish: Wish) -> Request:
    """The patch that makes the wish true."""
    metadata = {"name": view.name, "namespace": view.namespace, "uid": view.document["metadata"]["uid"]}
    if any(owners(view.document, name) - {_OURS} for name in wish.drop):
        version = {"resourceVersion": view.document["metadata"]["resourceVersion"]}
        return Request({"metadata": {**metadata, **version}, "spec": {**dict.fromkeys(wish.drop), **wish.put}}, True)
    spec = view.document.get("spec", {})
    kept = {name: spec[name] for name in FIELDS if name in spec and _OURS in owners(view.document, name)}
    wanted = {name: value for name, value in {**kept, **wish.put}.items() if name not in wish.drop}
    return Request({"apiVersion": API_VERSION, "kind": view.kind.kind, "metadata": metadata, "spec": wanted})


def notes(view: AnyView, wish: Wish) -> list[str]:
    """Which of the fields a manifest sets too, whose next apply would be against what was done now."""
    said = []
    for name in sorted({*wish.put, *wish.drop}):
        others = sorted(
            manager
            for manager, how in owners(view.document, name) - {_OURS}
            if how == "Apply" or ("client-side-apply" in manager and _applied(view.document, name))
        )
        if others:
            wanted = f"set it to {_written(wish.put[name])} there" if name in wish.put else "remove it there"
            said.append(f"spec.{name} is in a manifest too, applied by {', '.join(others)}: {wanted}, or it comes back")
    return said


async def send(cluster: Cluster, view: AnyView, asked: Request, *, dry_run: bool) -> Json:
    """Make it so; with `dry_run` the API server only says whether it would take it.

    Raises:
        KubeError: the API server does not take it.
    """
    path = view.kind.path(view.namespace, view.name)
    more: dict[str, Any] = {"dryRun": "All"} if dry_run else {}
    if asked.merge:
        return await cluster.merge(path, asked.body, manager=MANAGER, **more)
    return await cluster.apply(path, asked.body, manager=MANAGER, **more)


_OURS = (MANAGER, "Apply")


def _applied(document: Json, name: str) -> bool:
    """Whether kubectl's manifest has it: kubectl also owns what the API server filled in when it created the object."""
    text = document["metadata"].get("annotations", {}).get(LAST_APPLIED, "{}")
    return name in json.loads(text).get("spec", {})


def _written(value: object) -> str:
    """As a manifest has it."""
    return value if isinstance(value, str) else json.dumps(value)
