"""The approvals of a namespace, read once for all of its objects that turn about the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from firelift.environment.observation import ApprovalSeen as OfEnvironment
from firelift.kube import approvals
from firelift.kube.client import Json
from firelift.rollout.observation import ApprovalSeen

OLDEST_SECONDS = 0.9
"""How long a list is believed where no event has come: a watch may be late, and a second is the promise."""


@dataclass(slots=True)
class _Listed:
    """A list, when it was asked for, and up to which of the events that were `heard` it was asked behind."""

    items: list[Json] = field(default_factory=list)
    asked: float = float("-inf")
    heard: int = 0
    behind: int = -1
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Who comes while somebody asks waits for that answer, and asks again only when it is too old for him."""


class ApprovalLists:
    """Lists by namespace. Use it in one event loop.

    A turn never decides on a list that was asked for before the last event of an approval that this process has heard
    of, nor on one older than `OLDEST_SECONDS`.
    """

    def __init__(
        self, read: Callable[[str], Awaitable[list[Json]]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._listed: dict[str, _Listed] = {}

    def __len__(self) -> int:
        """How many lists are kept."""
        return len(self._listed)

    def changed(self, namespace: str) -> None:
        """An approval of this namespace was made, changed or removed."""
        if (listed := self._listed.get(namespace)) is not None:
            listed.heard += 1

    async def of_rollout(self, namespace: str, name: str) -> tuple[ApprovalSeen, ...]:
        """The approvals that name this rollout, in order of creation.

        Raises:
            KubeError: they cannot be read.
        """
        return approvals.select(await self._items(namespace), name)

    async def of_environment(self, namespace: str, name: str) -> tuple[OfEnvironment, ...]:
        """The approvals that name this environment, in order of creation.

        Raises:
            KubeError: they cannot be read.
        """
        return approvals.select_of_environment(await self._items(namespace), name)

    async def _items(self, namespace: str) -> list[Json]:
        if namespace not in self._listed:
            self._forget_old()
        listed = self._listed.setdefault(namespace, _Listed())
        async with listed.asking:
            heard, now = listed.heard, self._clock()
            if listed.behind != heard or now - listed.asked > OLDEST_SECONDS:
                listed.items = await self._read(namespace)
                listed.behind, listed.asked = heard, now
            return listed.items

    def _forget_old(self) -> None:
        """Lists that nobody would believe any more are kept for nobody: namespaces come and go."""
        now = self._clock()
        old = (name for name, each in self._listed.items() if now - each.asked > OLDEST_SECONDS)
        for name in [name for name in old if not self._listed[name].asking.locked()]:
            del self._listed[name]
