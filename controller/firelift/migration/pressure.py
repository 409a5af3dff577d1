"""Whether a database suffers from being written: Commits are slow, or asked to slow down, or none of a worker lands.

Counts are added up over all rollouts on the database; how long a Commit takes is compared with quiet moments of the
same work (`Quiet`), because it depends on what is written and on how large the batches are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ConfigDict

from firelift.api.base import Model
from firelift.migration.store import Micros

ALLOWED = 0.01
"""Of all Commits, that may be answered with ABORTED or RESOURCE_EXHAUSTED."""

CHANCE = 1
"""So many of them are no evidence, whatever their part."""

WINDOW_COMMITS = 200
WINDOW: Micros = 300_000_000
"""Counts begin anew after so many Commits or microseconds, so that old ones do not hide new ones."""

COOLING: Micros = 30_000_000
"""After a cut, until workers have heard of it and what was under way is done, nothing counts."""

SAMPLES = 20
SLOWER = 2
LEAST_SLOWER_MS = 50
"""A p95 that is this little above the quiet one is noise, even where it is a multiple of it."""

SLOW_CUTS = 3
"""When so many cuts in a row have made Commits no faster, it is not this traffic that makes them slow."""


STUCK = "commits were only asked to slow down, and none of a worker has landed"


class Shared(Model):
    """A part of the budget's document, which operators of several versions change: each keeps what it does not know."""

    model_config = ConfigDict(extra="allow")


class Work(Model):
    """What the journal of a run says so far.

    `commits` landed, `pressured` were asked to slow down; `written` are documents, entries included. `latencies` has
    for recent Commits when they were known to have landed, and how many milliseconds they took. `stuck` is when a
    worker last said that it is asked to slow down and nothing of it lands, 0 for never: its counts are in no entry yet.
    """

    commits: int = 0
    pressured: int = 0
    written: int = 0
    latencies: tuple[tuple[Micros, int], ...] = ()
    stuck: Micros = 0

    @property
    def size(self) -> int:
        """Documents of one Commit on average, as the power of two below it: within it p95s are compared."""
        return 1 << max(0, (self.written // max(1, self.commits)).bit_length() - 1)


class Quiet(Shared):
    """The quiet p95 in milliseconds of one sort of work, and when Commits were last as quick as that lets expect."""

    sort: str
    ms: int
    time: Micros


class Marks(Shared):
    """How much of a run's work has been judged, and its quiet p95 in milliseconds, 0 before there is one."""

    commits: int = 0
    pressured: int = 0
    written: int = 0
    judged: Micros = 0
    quiet_ms: int = 0
    slow_cuts: int = 0
    stuck: Micros = 0


class Window(Shared):
    """Commits of all rollouts since `since`. `cooling` is the time from which on they count again."""

    since: Micros = 0
    commits: int = 0
    pressured: int = 0
    cooling: Micros = 0


@dataclass(frozen=True, slots=True)
class Pressed:
    """What was found: documents written since the last look, the new marks and window, and why to cut, if at all.

    `calm_ms` is a p95 that was found to be quiet, 0 where none was.
    """

    written: int
    marks: Marks
    window: Window
    cause: str = ""
    calm_ms: int = 0


def judged(window: Window, known: Marks | None, work: Work, now: Micros, quiet_ms: int = 0) -> Pressed:
    """Judge what is new in a run's work. A run that is seen for the first time has nothing new.

    `quiet_ms` is what earlier runs of this work have left, 0 for nothing: a run's first Commits are compared with it.
    """
    marks = known or _first(work)
    fresh = _fresh(marks, work)
    seen = marks.model_copy(
        update={
            "commits": work.commits,
            "pressured": work.pressured,
            "written": max(work.written, marks.written),
            "stuck": max(work.stuck, marks.stuck),
        }
    )
    if now < window.cooling <= now + COOLING:
        return Pressed(fresh.written, seen.model_copy(update={"judged": _newest(work)}), _anew(window, now))
    window = window if window.since and 0 <= now - window.since < WINDOW else _anew(window, now)
    window = window.model_copy(
        update={"commits": window.commits + fresh.commits, "pressured": window.pressured + fresh.pressured}
    )
    slow, calm, seen = _slow(seen, work, quiet_ms)
    cause = _pressed(window) or slow or (STUCK if work.stuck > marks.stuck else "")
    if cause:
        return Pressed(fresh.written, seen, Window(since=now, cooling=now + COOLING), cause, calm)
    full = window.commits + window.pressured >= WINDOW_COMMITS
    return Pressed(fresh.written, seen, _anew(window, now) if full else window, calm_ms=calm)


def slower(now: int, quiet: int) -> bool:
    """Whether a p95 is so much above a quiet one that it tells of a database that suffers."""
    return now > max(SLOWER * quiet, quiet + LEAST_SLOWER_MS)


def p95(latencies: Sequence[int]) -> int:
    """The 95th percentile by nearest rank."""
    return sorted(latencies)[math.ceil(len(latencies) * 0.95) - 1]


def _first(work: Work) -> Marks:
    return Marks(
        commits=work.commits,
        pressured=work.pressured,
        written=work.written,
        judged=_newest(work),
        stuck=work.stuck,
    )


def _fresh(marks: Marks, work: Work) -> Work:
    return Work(
        commits=max(0, work.commits - marks.commits),
        pressured=max(0, work.pressured - marks.pressured),
        written=max(0, work.written - marks.written),
    )


def _pressed(window: Window) -> str:
    share = window.pressured / max(1, window.commits + window.pressured)
    if window.pressured <= CHANCE or share <= ALLOWED:
        return ""
    return f"{share:.1%} of commits were asked to slow down, and {ALLOWED:.0%} may be"


def _slow(marks: Marks, work: Work, before: int) -> tuple[str, int, Marks]:
    """Compare the Commits that landed since the last comparison with the quiet ones, once there are enough of them.

    Why they are slow, or the p95 that is quiet; and the marks.
    """
    latencies = [latency for time, latency in work.latencies if time > marks.judged]
    if len(latencies) < SAMPLES:
        return "", 0, marks
    now, quiet = p95(latencies), marks.quiet_ms or before
    marks = marks.model_copy(update={"judged": _newest(work)})
    if not quiet or not slower(now, quiet):
        return "", now, marks.model_copy(update={"quiet_ms": min(now, quiet or now), "slow_cuts": 0})
    if marks.slow_cuts >= SLOW_CUTS:
        return "", now, marks.model_copy(update={"quiet_ms": now, "slow_cuts": 0})
    marks = marks.model_copy(update={"quiet_ms": quiet, "slow_cuts": marks.slow_cuts + 1})
    return f"p95 of commits was {now} ms, more than twice its quiet {quiet} ms", 0, marks


def _anew(window: Window, now: Micros) -> Window:
    return Window(since=now, cooling=window.cooling)


def _newest(work: Work) -> Micros:
    return max((time for time, _ in work.latencies), default=0)
