"""The HTTP side: ask for faults, read the log, move the clock, write a point by hand. JSON in and out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, ValidationError

from firelift.sandbox.google.control_firestore import FirestoreControl
from firelift.sandbox.google.faults import Fault
from firelift.sandbox.google.series import Descriptor
from firelift.sandbox.google.values import SECOND, Identity, Kind, Point, RefusedError, ValueType

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from firelift.sandbox.google.calls import Calls, Clock
    from firelift.sandbox.google.firestore.state import FirestoreState
    from firelift.sandbox.google.monitoring import MetricService

_TYPES = {bool: ValueType.BOOL, int: ValueType.INT64, float: ValueType.DOUBLE}


class _Offset(BaseModel):
    model_config = ConfigDict(extra="forbid")
    offset_seconds: float = Field(ge=-86_400, le=86_400)


class _Named(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    uid: str = ""


class _Value(BaseModel):
    """A point written by hand: a gauge of now, or what was counted over the last `seconds`."""

    model_config = ConfigDict(extra="forbid")
    project: str = Field(min_length=1)
    metric: str = Field(min_length=1)
    value: StrictBool | StrictInt | StrictFloat
    labels: dict[str, str] = {}
    resource: str = "global"
    unit: str = ""
    kind: Kind = Kind.GAUGE
    seconds: float = Field(default=0, ge=0, le=86_400)


class Control:
    """Routes: /faults (GET, POST, DELETE), /requests (GET), /clock, /databases, /points (POST); FirestoreControl's."""

    def __init__(self, calls: Calls, clock: Clock, firestore: FirestoreState, metrics: MetricService) -> None:
        self._calls = calls
        self._metrics = metrics
        self._clock = clock
        self._firestore = firestore

    def application(self) -> web.Application:
        """Return the web application, not yet running."""
        application = web.Application(middlewares=[_refusals])
        application.router.add_get("/faults", self._list_faults)
        application.router.add_post("/faults", self._add_fault)
        application.router.add_delete("/faults", self._clear_faults)
        application.router.add_get("/requests", self._requests)
        application.router.add_post("/clock", self._move_clock)
        application.router.add_post("/databases", self._name_database)
        application.router.add_post("/points", self._write_point)
        FirestoreControl(self._firestore).add_routes(application)
        return application

    async def _list_faults(self, _request: web.Request) -> web.Response:
        return web.json_response([fault.model_dump(mode="json") for fault in self._calls.faults.active()])

    async def _add_fault(self, request: web.Request) -> web.Response:
        fault = Fault.model_validate(await request.json())
        self._calls.faults.add(fault)
        return web.json_response(fault.model_dump(mode="json"), status=201)

    async def _clear_faults(self, _request: web.Request) -> web.Response:
        self._calls.faults.clear()
        return web.Response(status=204)

    async def _requests(self, _request: web.Request) -> web.Response:
        return web.json_response(self._calls.log.report())

    async def _move_clock(self, request: web.Request) -> web.Response:
        self._clock.offset_seconds = _Offset.model_validate(await request.json()).offset_seconds
        return web.json_response({"offset_seconds": self._clock.offset_seconds})

    async def _name_database(self, request: web.Request) -> web.Response:
        named = _Named.model_validate(await request.json())
        return web.json_response({"name": named.name, "uid": self._firestore.databases.register(named.name, named.uid)})

    async def _write_point(self, request: web.Request) -> web.Response:
        given = _Value.model_validate(await request.json())
        end = self._clock.now()
        identity = Identity.of(given.metric, given.labels, given.resource, {"project_id": given.project})
        descriptor = Descriptor(given.metric, given.kind, _TYPES[type(given.value)], given.unit)
        point = Point(end - round(given.seconds * SECOND), end, given.value)
        self._metrics.store.write(given.project, descriptor, identity, point, end)
        return web.json_response(given.model_dump(mode="json"), status=201)


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ValidationError as error:
        return web.json_response({"error": json.loads(error.json(include_url=False))}, status=400)
    except (RefusedError, ValueError) as error:
        return web.json_response({"error": str(error)}, status=400)
