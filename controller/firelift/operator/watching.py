"""kopf watches; nothing more. Its handlers mark objects dirty, its own finalizers and annotations stay unused.

It runs in a thread with an event loop of its own, because it takes every task of its loop for its own and ends it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Any

import kopf

from firelift.api import approval, environment, rollout
from firelift.api.base import GROUP, ROLLOUT_LABEL, VERSION
from firelift.kube.identity import kubeconfig_token
from firelift.operator.pulse import Pulse
from firelift.operator.wakeups import Key
from firelift.operator.watch_session import WatchSession, open_session

WATCHED = (rollout.PLURAL, environment.PLURAL, approval.PLURAL)
"""The custom resources that must be there before watching begins."""

Poke = Callable[[Key], None]
Handler = Callable[..., Awaitable[None]]
_BEAT_SECONDS = 1.0
_SILENCE_SECONDS = 30.0
_EXIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Pokes:
    """Who is told that something has happened to an object, or been decided about it, by the object's kind.

    `stood_on` is told, by its kind, of an object that others wait for and that says something new in its status.
    """

    changed: Mapping[str, Poke]
    decided: Mapping[str, Poke]
    stood_on: Mapping[str, Poke]

    def through(self, wrap: Callable[[Poke], Poke]) -> Pokes:
        """The same, each called another way."""
        every = (self.changed, self.decided, self.stood_on)
        return Pokes(*({kind: wrap(poke) for kind, poke in pokes.items()} for pokes in every))


class Watcher:
    """The watching thread. `pokes` are called in the loop that `start` was called in."""

    def __init__(self, pokes: Pokes, pulse: Pulse, namespaces: tuple[str, ...]) -> None:
        self._pokes = pokes
        self._pulse = pulse
        self._namespaces = namespaces
        self._stop = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self.loop: asyncio.AbstractEventLoop | None = None
        """The one that watches, as soon as there is one."""
        self.ended: asyncio.Future[None] = self._loop.create_future()
        """Done when watching has ended, with the error that ended it."""

    def start(self) -> None:
        """Begin to watch."""
        threading.Thread(target=self._run, name="kopf", daemon=True).start()

    async def stop(self) -> None:
        """Watch no more."""
        self._stop.set()
        await asyncio.wait([self.ended], timeout=_EXIT_SECONDS)

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            asyncio.run(self._watch())
        except BaseException as caught:  # noqa: BLE001 - it ends the process, from the other thread
            error = caught
        self._loop.call_soon_threadsafe(self._end, error)

    async def _watch(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._beat(self.loop)
        await kopf.operator(
            registry=build_registry(self._pokes.through(self.forwarding)),
            settings=build_settings(),
            standalone=True,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            stop_flag=self._stop,
        )

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        # A timer, not a task: kopf would wait for a task of ours at its exit.
        self._pulse.expect("watching", within_seconds=_SILENCE_SECONDS)
        loop.call_later(_BEAT_SECONDS, self._beat, loop)

    def forwarding(self, poke: Poke) -> Poke:
        """The same, to be called in the loop that watches."""

        def forward(key: Key) -> None:
            # kopf's own context has the event in it, and what is begun here would keep that for as long as it lives.
            self._loop.call_soon_threadsafe(poke, key, context=self._context)

        return forward

    def _end(self, error: BaseException | None) -> None:
        self._pulse.end("watching")
        if self.ended.done():
            return
        if error is not None:
            self.ended.set_exception(error)
        else:
            self.ended.set_result(None)


def build_registry(pokes: Pokes) -> kopf.OperatorRegistry:
    """The handlers: each one only says which object to look at."""
    registry = kopf.OperatorRegistry()

    async def approval_changed(spec: Mapping[str, Any], namespace: str | None, **_: Any) -> None:
        target = spec.get("target", {})
        if (name := target.get("name")) and (decided := pokes.decided.get(target.get("kind", ""))):
            decided(Key(namespace or "", name))

    async def job_changed(body: Mapping[str, Any], namespace: str | None, **_: Any) -> None:
        for owner in body["metadata"].get("ownerReferences", ()):
            if owner["kind"] == rollout.KIND:
                pokes.changed[rollout.KIND](Key(namespace or "", owner["name"]))

    kopf.on.login(registry=registry)(open_watching)
    for kind, plural in ((rollout.KIND, rollout.PLURAL), (environment.KIND, environment.PLURAL)):
        kopf.on.event(GROUP, VERSION, plural, registry=registry)(
            _both(_noticing(pokes.changed[kind]), _saying(pokes.stood_on[kind]))
        )
    kopf.on.event(GROUP, VERSION, approval.PLURAL, registry=registry)(approval_changed)
    kopf.on.event("batch", "v1", "jobs", labels={ROLLOUT_LABEL: kopf.PRESENT}, registry=registry)(job_changed)
    return registry


def _both(one: Handler, other: Handler) -> Handler:
    """One handler out of two: each call of a handler costs kopf more than ours do."""

    async def object_heard(**event: Any) -> None:
        await one(**event)
        await other(**event)

    return object_heard


def _noticing(poke: Poke) -> Handler:
    """The handler of one kind, which tells its changes from our own writes."""
    fresh = Freshness()

    async def object_changed(
        type: str | None,  # noqa: A002 - kopf's name for the kind of event
        body: Mapping[str, Any],
        namespace: str | None,
        name: str,
        **_: Any,
    ) -> None:
        key = Key(namespace or "", name)
        if type == "DELETED":
            fresh.forget(key)
            poke(key)
        elif fresh.changed(key, body["metadata"]):
            poke(key)

    return object_changed


def _saying(poke: Poke) -> Handler:
    """The handler for those who stand on an object: it hears of what the status says to them, and no more."""
    said: dict[Key, tuple[object, ...]] = {}

    async def conditions_changed(
        type: str | None,  # noqa: A002 - kopf's name for the kind of event
        body: Mapping[str, Any],
        namespace: str | None,
        name: str,
        **_: Any,
    ) -> None:
        key = Key(namespace or "", name)
        before, now = said.pop(key, None), _said(body)
        if type != "DELETED":
            said[key] = now
        if type == "DELETED" or before != now:
            poke(key)

    return conditions_changed


def _said(body: Mapping[str, Any]) -> tuple[object, ...]:
    metadata, status = body["metadata"], body.get("status", {})
    names = ("type", "status", "reason", "observedGeneration")
    conditions = tuple(tuple(each.get(name) for name in names) for each in status.get("conditions", ()))
    indexes = tuple((each.get("name"), each.get("state")) for each in status.get("indexes", ()))
    which = (metadata.get("uid"), metadata.get("generation"), metadata.get("deletionTimestamp"))
    promotion = status.get("promotion", {})
    plan = (promotion.get("digest"), promotion.get("completedTime"), status.get("phase"))
    return which, status.get("observedGeneration"), conditions, indexes, plan


def build_settings() -> kopf.OperatorSettings:
    """How kopf watches: bounded requests, paged lists, only our own Jobs."""
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 330
    settings.watching.connect_timeout = 10
    settings.watching.chunk_size = 500
    # The tuple matters: the string "batch/v1/jobs" is taken for a name, and selects nothing.
    settings.watching.label_selectors["batch", "v1", "jobs"] = ROLLOUT_LABEL
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.process.ultimate_exiting_timeout = _EXIT_SECONDS
    settings.execution.max_workers = 1
    return settings


async def open_watching(**details: Any) -> WatchSession | None:
    """The session that kopf watches through."""
    found = await login(**details)
    return None if found is None else open_session(found)


async def login(**details: Any) -> kopf.ConnectionInfo | None:
    """The same identity as the operator's own client: KUBECONFIG when it is set, else the pod's ServiceAccount."""
    if not (kubeconfig := os.environ.get("KUBECONFIG")):
        return kopf.login_with_service_account(**details)
    found = kopf.login_with_kubeconfig(**details)
    # kopf's own reader knows no token in a file and no plugin that prints one, and would ask as nobody.
    return replace(found, token=await kubeconfig_token(kubeconfig)) if found is not None else None


class Freshness:
    """Tells a change of what was asked for from the echo of our own status writes."""

    def __init__(self) -> None:
        self._seen: dict[Key, tuple[object, ...]] = {}

    def changed(self, key: Key, metadata: Mapping[str, Any]) -> bool:
        """Whether anything but the status is new since the last event of this object."""
        now = (
            metadata.get("uid"),
            metadata.get("generation"),
            metadata.get("deletionTimestamp"),
            tuple(metadata.get("finalizers", ())),
        )
        before, self._seen[key] = self._seen.get(key), now
        return before != now

    def forget(self, key: Key) -> None:
        """The object is gone; one of the same name is another one."""
        self._seen.pop(key, None)
