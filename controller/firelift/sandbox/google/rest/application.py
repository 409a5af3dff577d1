"""One HTTP server for all APIs, each below a prefix of its own: `/fs/v1/…` is Firestore, `/iam/v1/…` is IAM."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import grpc
from aiohttp import web

from firelift.sandbox.google.resources import Json
from firelift.sandbox.google.rest.routes import Call, Route, call_of
from firelift.sandbox.google.values import RefusedError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firelift.sandbox.google.calls import Calls

MAX_BODY = 16 * 1024 * 1024
STATUSES: Mapping[grpc.StatusCode, int] = {
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}
"""google.rpc.Code's HTTP mapping; every other code is 500."""


class RestApi:
    """The APIs by prefix, each with its name (what a fault's `api` matches) and its routes."""

    def __init__(self, calls: Calls, apis: Mapping[str, tuple[str, Sequence[Route]]]) -> None:
        self._calls = calls
        self._apis = apis

    def application(self) -> web.Application:
        """Return the web application, not yet running."""
        application = web.Application(client_max_size=MAX_BODY)
        application.router.add_route("*", "/{path:.*}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.Response:
        try:
            return web.json_response(await self._answer(request))
        except RefusedError as refusal:
            status = STATUSES.get(refusal.code, 500)
            error = {"code": status, "message": refusal.message, "status": refusal.code.name}
            return web.json_response({"error": error}, status=status)

    async def _answer(self, request: web.Request) -> Json:
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            raise RefusedError(
                grpc.StatusCode.UNAUTHENTICATED, "Request is missing an access token (Authorization: Bearer)"
            )
        api, route, call = self._find(request, await _body(request))
        answer: Json = await self._calls.answer(api, route.method, call.name, lambda _faults: route.serve(call))
        return answer

    def _find(self, request: web.Request, body: Json) -> tuple[str, Route, Call]:
        prefix, _, path = request.rel_url.raw_path.lstrip("/").partition("/")
        api, routes = self._apis.get(prefix, ("", ()))
        for route in routes:
            match = route.match(request.method, path)
            if match:
                return api, route, call_of(match, request.query, body)
        raise RefusedError(
            grpc.StatusCode.UNIMPLEMENTED, f"{request.method} {request.rel_url.raw_path} is not served by the stand-in"
        )


async def _body(request: web.Request) -> Json:
    text = await request.text()
    try:
        body = json.loads(text) if text else {}
    except json.JSONDecodeError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received. The body is not an object.")
    return body
