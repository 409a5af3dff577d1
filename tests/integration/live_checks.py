"""What a live app and two migrations must have left together, told from answers, documents and journal alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.cloud.firestore import AsyncClient
from tests.integration.live_app import COPIED, COUNTED, STEP, LiveApp, target_of
from tests.recount import changed_once, documents, images, micros

Times = Mapping[str, int]
"""When a run changed which document, by its path."""


async def moved(client: AsyncClient, app: LiveApp) -> None:
    """After both migrations."""
    in_place, copies = await changes(client, "migrate.0"), await changes(client, "migrate.1")
    assert await documents(client, COUNTED) == {
        path: _counted(app, path, fields, is_moved=path in in_place) for path, fields in app.alive(COUNTED).items()
    }
    assert await documents(client, COPIED) == app.alive(COPIED), "a copy leaves its source alone"
    sources = {target_of(path, app.fields[path]): path for path in app.fields if path.startswith(f"{COPIED}/")}
    assert await documents(client, "copies") == {
        target: _copy(app, sources[target], target, time) for target, time in copies.items()
    }
    everywhere = {**in_place, **{sources[target]: time for target, time in copies.items()}}
    left = app.fields.keys() - everywhere.keys()
    assert left <= app.late.keys() | app.deleted.keys(), "only what came or went meanwhile may be left"
    for path, deleted in app.deleted.items():
        assert everywhere.get(path, 0) < deleted, "what was deleted is not brought back"


async def taken_back(client: AsyncClient, app: LiveApp) -> None:
    """After both reverts: as before, but where the app has changed what was moved; there it stays whole."""
    in_place, copies = await changes(client, "migrate.0"), await changes(client, "migrate.1")
    undone, deleted = await changes(client, "revert.0"), await changes(client, "revert.1")
    kept = {path for path in in_place.keys() - undone.keys() if path not in app.deleted}
    assert all(max(app.added[path], default=0) > in_place[path] for path in kept), (
        "kept only where the app has changed it"
    )
    for path, time in undone.items():
        between = [at for at in app.added[path] if in_place[path] < at < time]
        assert not between, f"{path} was restored over the app's own change"
    assert await documents(client, COUNTED) == {
        path: _counted(app, path, fields, is_moved=path in kept) for path, fields in app.alive(COUNTED).items()
    }
    assert await documents(client, COPIED) == app.alive(COPIED)
    assert (await documents(client, "copies")).keys() == copies.keys() - deleted.keys()
    for target in copies:
        assert (target in deleted) != (target in app.seen), "a copy stays exactly when the app has made it its own"


async def changes(client: AsyncClient, run: str) -> Times:
    """When a run changed which document, each of them once."""
    told = await images(client)
    changed_once(told, run)
    return {each.path: micros(each.time) for each in told if each.run == run}


def _counted(app: LiveApp, path: str, fields: Mapping[str, Any], *, is_moved: bool) -> dict[str, Any]:
    added = {**fields, "n": fields["n"] + STEP * len(app.added.get(path, ()))}
    return _reshaped(added) | {"moved": "yes"} if is_moved else added


def _copy(app: LiveApp, source: str, target: str, time: int) -> dict[str, Any]:
    visits = sum(at < time for at in app.visits.get(source, ()))
    seen = {"seen": True} if target in app.seen else {}
    return _reshaped(app.fields[source] | ({"visits": visits} if visits else {})) | seen


def _reshaped(fields: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in fields.items() if name != "name"}
    return rest | {"title": fields["name"], "n": fields["n"] + 1}
