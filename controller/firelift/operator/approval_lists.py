"""The approvals of a namespace, read once for all of its objects that turn about the same time."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial

from firelift.environment.observation import ApprovalSeen as OfEnvironment
from firelift.kube import approvals
from firelift.kube.client import Json
from firelift.operator.remembered import Remembered
from firelift.rollout.observation import ApprovalSeen

OLDEST_SECONDS = 0.9
"""How long a list is believed where no event has come: a watch may be late, and a second is the promise."""


class ApprovalLists:
    """Lists by namespace. Use it in one event loop.

    A turn never decides on a list that was asked for before the last event of an approval that this process had heard
    of when the turn asked for it, nor on one that was older than `OLDEST_SECONDS` then.
    """

    def __init__(
        self, read: Callable[[str], Awaitable[list[Json]]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._listed: dict[str, Remembered[list[Json]]] = {}

    def __len__(self) -> int:
        """How many lists are kept."""
        return len(self._listed)

    def changed(self, namespace: str) -> None:
        """An approval of this namespace was made, changed or removed."""
        if (listed := self._listed.get(namespace)) is not None:
            listed.changed()

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
            self._listed[namespace] = Remembered(partial(self._read, namespace), OLDEST_SECONDS, self._clock)
        return await self._listed[namespace].value()

    def _forget_old(self) -> None:
        """Lists that nobody would believe any more are kept for nobody: namespaces come and go."""
        for name in [name for name, each in self._listed.items() if each.useless]:
            del self._listed[name]
