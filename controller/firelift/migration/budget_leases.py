"""One rollout's part of a database's write budget, and what its workers may spend until they hear of it. Pure."""

from __future__ import annotations

from collections.abc import Collection

from firelift.migration.pressure import Marks, Shared
from firelift.migration.store import Micros
from firelift.migration.watch import VIEW_SECONDS

SECOND: Micros = 1_000_000

HEARD: Micros = int((VIEW_SECONDS + 1) * SECOND)
"""After a control was changed, until no worker can spend by what it said before: a commit begins by a look at the
control that is no older than `VIEW_SECONDS`, and one more second is for those under way."""


class Earlier(Shared):
    """A larger share that `run` had, and until when workers that have not heard of a smaller one may spend it."""

    run: str = ""
    share: float
    expires: Micros


class Lease(Shared):
    """One rollout's part of the budget until `expires`. `share` is in writes per second, fractions included.

    Each larger share before it may still be spent until its own end, and no longer: a rollout whose runs follow each
    other quickly would otherwise keep for ever what it once had.
    """

    ledger: str
    name: str
    run: str
    epoch: int
    cap: float
    want: float
    share: float
    expires: Micros
    earlier: tuple[Earlier, ...] = ()
    marks: Marks = Marks()

    def live(self, now: Micros) -> bool:
        """Whether any worker may spend anything of it."""
        return now < self.until

    @property
    def until(self) -> Micros:
        """When the last of it can be spent."""
        return max([self.expires, *(each.expires for each in self.earlier)])

    def spendable(self, now: Micros) -> float:
        """Writes per second that workers of this lease may spend at this time, at most."""
        own = self.share if now < self.expires else 0.0
        return max([own, *(each.share for each in self.earlier if now < each.expires)])

    def above(self, share: float, now: Micros, complete: Collection[str]) -> tuple[Earlier, ...]:
        """What may still be spent above a new share, the latest first, but for runs that write nothing any more.

        What another outlasts and outweighs says nothing.
        """
        kept: list[Earlier] = []
        for each in (Earlier(run=self.run, share=self.share, expires=self.expires), *self.earlier):
            hidden = any(
                other.run == each.run and other.share >= each.share and other.expires >= each.expires for other in kept
            )
            if each.run not in complete and each.share > share and now < each.expires and not hidden:
                kept.append(each)
        return tuple(kept)

    def waits(self, at: Micros) -> bool:
        """Whether it would make a difference that the run's control says this share since `at`."""
        return any(each.run == self.run and each.expires > at + HEARD for each in self.earlier)

    def heard(self, word: tuple[str, float, Micros], at: Micros) -> Lease:
        """The lease when the control of this run says this share and this end since `at`."""
        return self._bounded(self.run, at + HEARD) if word == (self.run, self.share, self.expires) else self

    def ended(self, run: str, end: Micros) -> Lease:
        """The lease when this run writes nothing behind `end`. What it wanted, others may have."""
        if run != self.run:
            return self
        return self._bounded(run, end).model_copy(update={"want": 0.0, "expires": min(self.expires, end)})

    def _bounded(self, run: str, end: Micros) -> Lease:
        bounded = (
            each.model_copy(update={"expires": min(each.expires, end)}) if each.run == run else each
            for each in self.earlier
        )
        return self.model_copy(update={"earlier": tuple(bounded)})
