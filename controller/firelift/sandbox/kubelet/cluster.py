"""The API server as JSON: the few calls that a kubelet makes."""

import json
from collections.abc import AsyncGenerator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import client, config
from kubernetes.aio.client.exceptions import ApiException

Json = dict[str, Any]

STRATEGIC_MERGE = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
_REQUEST_SECONDS = 30.0
_WATCH_SECONDS = 300
_LONGEST_EVENT_BYTES = 4 * 1024 * 1024  # an object of etcd has at most 1.5 MiB, a watch sends one per line
UNREACHABLE = (aiohttp.ClientError, TimeoutError, OSError)


class Cluster:
    """A connection with the identity of a kubeconfig. Errors of the server are `ApiException` with its status."""

    def __init__(self, api: client.ApiClient) -> None:
        """Wrap an API client, which is closed with it."""
        self._api = api

    @classmethod
    async def connect(cls, kubeconfig: Path) -> Self:
        """Read the kubeconfig; nothing is sent yet."""
        configuration = client.Configuration()
        configuration.client_session_kwargs = {"read_bufsize": _LONGEST_EVENT_BYTES}
        await config.load_kube_config(  # type: ignore[no-untyped-call]  # it is not typed
            config_file=str(kubeconfig), client_configuration=configuration
        )
        return cls(client.ApiClient(configuration))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._api.close()  # type: ignore[no-untyped-call]  # it is not typed

    @property
    def server(self) -> str:
        """The API server's URL."""
        return str(self._api.configuration.host)

    async def get(self, path: str, **query: object) -> Json:
        """Read an object or a list."""
        return await self._request("GET", path, query=query)

    async def create(self, path: str, body: Json) -> Json:
        """Create an object in the collection, or a sub-resource, at `path`."""
        return await self._request("POST", path, body=body)

    async def patch(self, path: str, body: Json, *, kind: str = MERGE) -> Json:
        """Patch an object; `kind` is the content type of the patch."""
        return await self._request("PATCH", path, body=body, content_type=kind)

    async def delete(self, path: str, body: Json) -> Json:
        """Delete an object; `body` is a DeleteOptions."""
        return await self._request("DELETE", path, body=body)

    async def watch(self, path: str, resource_version: str) -> AsyncGenerator[tuple[str, Json]]:
        """Yield (event type, object) from after `resource_version` until the server ends the watch."""
        query = {"watch": "true", "resourceVersion": resource_version, "timeoutSeconds": _WATCH_SECONDS}
        answer = await self._send("GET", path, query=query, seconds=_WATCH_SECONDS + _REQUEST_SECONDS)
        try:
            # A line without its end is what a dying server got out.
            while (line := await answer.content.readline()).endswith(b"\n"):
                event = json.loads(line)
                yield event["type"], event["object"]
        finally:
            answer.close()

    async def _request(self, method: str, path: str, **details: Any) -> Json:
        answer = await self._send(method, path, **details)
        async with answer:
            document: Json = await answer.json()
            return document

    async def _send(  # the parts of one HTTP request
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Json | None = None,
        content_type: str = "application/json",
        seconds: float = _REQUEST_SECONDS,
    ) -> aiohttp.ClientResponse:
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        url = f"{self.server}{path}" + (f"?{urlencode(query)}" if query else "")
        wrapped = await self._api.call_api(method, url, headers, body, _request_timeout=seconds)
        answer: aiohttp.ClientResponse = wrapped.response
        if answer.status >= HTTPStatus.BAD_REQUEST:
            text = await answer.text()
            raise ApiException(status=answer.status, reason=f"{method} {path}: {text}")
        return answer
