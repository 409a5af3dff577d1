"""The API server as JSON in and out: identity, deadlines, server-side apply, and the permit to change anything.

Objects stay plain dictionaries: no field of a newer cluster can break their parsing.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any, Self, TypeAlias
from urllib.request import getproxies

import aiohttp
from aiohttp.connector import Connection
from kubernetes.aio import client, config

from firelift.kube.errors import Unreachable, error_of

Json: TypeAlias = dict[str, Any]
Permit: TypeAlias = Callable[[], None]

_APPLY = "application/apply-patch+yaml; charset=utf-8"
"""The client would write letters beyond U+FFFF as two escapes, which is JSON and no YAML; so it is given bytes."""

_NO_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_MERGE = "application/merge-patch+json"
_OPERATIONS = "application/json-patch+json"
_JSON = "application/json"
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
_READS = frozenset({"GET"})

CONNECTIONS = 32
"""Calls of one process at once. More of them wait here, in order, and not in the API server: what comes back in one
round of the event loop is handled in it, and the Lease, which has a connection of its own, is renewed in between."""


Count: TypeAlias = Callable[[str, str, int, float], None]
"""Told of each call: its method, path, HTTP status (0: no answer) and seconds."""


def uncounted(method: str, path: str, status: int, seconds: float) -> None:
    """Of a process that nobody measures."""


def always() -> None:
    """The permit of a process that needs none."""


_sending: ContextVar[Permit] = ContextVar("permit", default=always)
"""The permit of the call that this task makes: those of one connection have different ones."""


class PermittedRequest(aiohttp.ClientRequest):
    """Asks for the permit when it has its connection, each time that it is sent.

    A call waits for a free connection, for a new one to be made and, when the old one was cut, for both once more.
    """

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """As any request, under the permit."""
        _sending.get()()
        return await super().send(conn)


class Cluster:
    """A connection with one identity.

    `permit` is asked before each call that changes something waits for its turn, and again right before it is sent. It
    raises when this process may not change anything.
    Every call has a deadline of `timeout_seconds`; every method raises `KubeError` and what `permit` raises.
    """

    def __init__(
        self,
        api: client.ApiClient,
        *,
        permit: Permit = always,
        timeout_seconds: float = 10.0,
        count: Count = uncounted,
    ) -> None:
        self._api = api
        self._count = count
        self._permit = permit
        self._timeout_seconds = timeout_seconds
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)

    @classmethod
    async def connect(cls, *, timeout_seconds: float = 10.0, count: Count = uncounted) -> Self:
        """Take the identity of KUBECONFIG when it is set, else of the pod's ServiceAccount; nothing is sent yet."""
        # Where no proxy is named there is none to look for; else each call would be handed to a thread and back, twice.
        session = {"trust_env": bool(getproxies()), "request_class": PermittedRequest}
        configuration = client.Configuration(connection_pool_maxsize=CONNECTIONS, client_session_kwargs=session)
        if kubeconfig := os.environ.get("KUBECONFIG"):
            await config.load_kube_config(  # type: ignore[no-untyped-call] # the official client is typed only in part
                kubeconfig, client_configuration=configuration, persist_config=False
            )
        else:
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call] # as above
        return cls(client.ApiClient(configuration), timeout_seconds=timeout_seconds, count=count)

    def permitted_by(self, permit: Permit) -> Cluster:
        """The same connection under a permit."""
        return Cluster(self._api, permit=permit, timeout_seconds=self._timeout_seconds, count=self._count)

    async def close(self) -> None:
        """Release the connections."""
        await self._api.close()  # type: ignore[no-untyped-call] # as above

    async def get(self, path: str, **query: str) -> Json:
        """Read an object or a list, as new as the cluster's store."""
        return await self._call("GET", path, query=query)

    async def list_metadata(self, path: str, **query: str) -> Json:
        """Read a list without what its objects hold."""
        return await self._call("GET", path, query=query, accept=_METADATA)

    async def table(self, path: str, **query: str) -> Json:
        """Read an object or a list as the columns and rows that `kubectl get` prints."""
        return await self._call("GET", path, query=query, accept=_TABLE)

    async def text(self, path: str, **query: str) -> str:
        """Read what is no JSON, such as a pod's log."""
        return (await self._answer("GET", path, query=query, accept="*/*")).decode(errors="replace")

    async def create(self, path: str, body: Mapping[str, Any], **query: str) -> Json:
        """Create an object in the collection at `path`."""
        return await self._call("POST", path, query=query, body=body)

    async def replace(self, path: str, body: Mapping[str, Any]) -> Json:
        """Replace the object at `path`; with a resourceVersion only that very version."""
        return await self._call("PUT", path, body=body)

    async def apply(self, path: str, body: Mapping[str, Any], *, manager: str, force: bool = True, **more: str) -> Json:
        """Server-side apply; `force` takes fields over from other managers."""
        query = {"fieldManager": manager, "force": "true" if force else "false", **more}
        return await self._call("PATCH", path, query=query, body=_yaml(body), content_type=_APPLY)

    async def merge(self, path: str, body: Mapping[str, Any], *, manager: str, **more: str) -> Json:
        """Apply a merge patch; with a resourceVersion in it only to that very version."""
        query = {"fieldManager": manager, **more}
        return await self._call("PATCH", path, query=query, body=body, content_type=_MERGE)

    async def patch(self, path: str, operations: Sequence[Json], *, manager: str) -> Json:
        """Apply a JSON patch; with a resourceVersion put in its place only to that very version."""
        return await self._call(
            "PATCH", path, query={"fieldManager": manager}, body=operations, content_type=_OPERATIONS
        )

    async def delete(self, path: str, options: Mapping[str, Any]) -> Json:
        """Delete an object with these DeleteOptions."""
        return await self._call("DELETE", path, body=options)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | Sequence[Json] | bytes | None = None,
        content_type: str = _JSON,
        accept: str = _JSON,
    ) -> Json:
        text = await self._answer(method, path, query=query, body=body, content_type=content_type, accept=accept)
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        if not isinstance(document, dict):  # whoever stands between has answered, or half of the answer is missing
            raise Unreachable(f"{method} {path}", HTTPStatus.OK, f"the answer is no object: {_message(text)}")
        return document

    async def _answer(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | Sequence[Json] | bytes | None = None,
        content_type: str = _JSON,
        accept: str = _JSON,
    ) -> bytes:
        permit = always if method in _READS else self._permit
        permit()
        attempted = f"{method} {path}"
        request = await self._api.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params={"Accept": accept, "Content-Type": content_type},
            body=dict(body) if isinstance(body, Mapping) else body or {},
            auth_settings=["BearerToken"],
        )
        begun, status = time.monotonic(), 0
        before = _sending.set(permit)
        try:
            answer = await self._api.call_api(*request, _request_timeout=self._timeout)
            text: bytes = await answer.read()  # type: ignore[no-untyped-call] # as above
            status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = str(error) or f"no answer within {self._timeout_seconds:g} s"
            raise Unreachable(attempted, 0, reason) from error
        finally:
            _sending.reset(before)
            self._count(method, path, status, time.monotonic() - begun)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            retry_after = answer.headers.get("Retry-After", "")
            raise error_of(attempted, answer.status, _message(text), retry_after=retry_after)
        return text


def _yaml(body: Mapping[str, Any]) -> bytes:
    """JSON that YAML reads as the same: what no YAML may hold as it is stays escaped."""
    text = json.dumps(body, ensure_ascii=False)
    return _NO_YAML.sub(lambda found: f"\\u{ord(found.group()):04x}", text).encode(errors="replace")


def _message(text: bytes) -> str:
    """The sentence of a metav1.Status, or the start of whatever a proxy answered."""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:200].decode(errors="replace") or "empty answer"
