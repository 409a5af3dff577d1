"""The app's view of its flags: a ConfigMap, looked at four times a second."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from kubernetes.aio import client, config

PERIOD = 0.25


class Flags:
    """The last known data of one ConfigMap; empty until it exists."""

    def __init__(self, namespace: str, name: str) -> None:
        self._namespace = namespace
        self._name = name
        self.data: Mapping[str, str] = {}

    async def follow(self, stopped: asyncio.Event) -> None:
        """Look until the app stops. What cannot be read leaves the flags as they were."""
        await config.load_kube_config()  # type: ignore[no-untyped-call]
        async with client.ApiClient() as api:
            core = client.CoreV1Api(api)
            while not stopped.is_set():
                with contextlib.suppress(client.ApiException):
                    self.data = (await core.read_namespaced_config_map(self._name, self._namespace)).data or {}
                await asyncio.sleep(PERIOD)
