"""The control API's part on Firestore's administration: build times, states by hand, backups and exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from firelift.sandbox.google.firestore.backups import BackupOfNow
from firelift.sandbox.google.firestore.builds import BuildTimes, State

if TYPE_CHECKING:
    from firelift.sandbox.google.firestore.state import FirestoreState


class _Forced(BaseModel):
    """A state by hand: `name` is an index's, or a field's (then its TTL's)."""

    model_config = ConfigDict(extra="forbid")
    name: str
    state: State


class FirestoreControl:
    """Routes: /builds (GET, POST: merged), /states (GET, POST), /backups (POST) and /exports (GET)."""

    def __init__(self, state: FirestoreState) -> None:
        self._state = state

    def add_routes(self, application: web.Application) -> None:
        """Add the routes to the control API."""
        application.router.add_get("/builds", self._get_builds)
        application.router.add_post("/builds", self._set_builds)
        application.router.add_get("/states", self._get_states)
        application.router.add_post("/states", self._force_state)
        application.router.add_post("/backups", self._add_backup)
        application.router.add_get("/exports", self._get_exports)

    async def _get_builds(self, _request: web.Request) -> web.Response:
        return web.json_response(self._state.builds.times.model_dump())

    async def _set_builds(self, request: web.Request) -> web.Response:
        self._state.builds.times = BuildTimes(**{**self._state.builds.times.model_dump(), **await request.json()})
        return await self._get_builds(request)

    async def _get_states(self, _request: web.Request) -> web.Response:
        return web.json_response(self._state.states())

    async def _force_state(self, request: web.Request) -> web.Response:
        forced = _Forced.model_validate(await request.json())
        self._state.force(forced.name, forced.state)
        return web.json_response(self._state.states())

    async def _add_backup(self, request: web.Request) -> web.Response:
        given = BackupOfNow.model_validate(await request.json())
        backup = self._state.backups.lay(self._state.databases.imply(given.database), given)
        return web.json_response(backup, status=201)

    async def _get_exports(self, _request: web.Request) -> web.Response:
        return web.json_response(self._state.exports.told())
