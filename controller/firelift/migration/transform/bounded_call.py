"""How long a function of the user's own may take for one record: then that is refused, and the worker goes on.

A signal interrupts the function where it is, be it asleep or in a loop. Only a process whose main thread runs such
functions asks for that, as a worker's does; C code that never comes back to Python is not interrupted.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from firelift.migration.errors import TransformUnusable

SECONDS = 10.0
"""Of one call. The worker's lease and its SIGTERM wait for it: a pod has 30 s to end."""

AGAIN_SECONDS = 1.0
"""Between two interruptions of a function that goes on in spite of the first."""

INTERRUPTIONS = 5
"""Of one call. Whatever goes on behind the last one cannot be stopped in this process."""

MOST_LATE, LATE_SECONDS = 3, 60.0
"""So many late answers in so short a time are no bad record but a function that does not work."""


class TookTooLong(BaseException):
    """A function has not answered in time. No `Exception`, which it might handle as one of its own."""


@dataclass(slots=True)
class Bound:
    """The time that calls of one process may take, `seconds` each; `last_words` are told before it must end."""

    seconds: float
    last_words: Callable[[str], None]
    _name: str = field(default="", init=False)
    _path: str = field(default="", init=False)
    _interruptions: int = field(default=0, init=False)
    _late: list[float] = field(default_factory=list, init=False)

    @contextmanager
    def call(self, name: str, path: str) -> Iterator[None]:
        """Interrupt what runs inside when its time is over.

        Raises:
            TookTooLong: in the function, once for each interruption.
            TransformUnusable: when several have been late in a short time.
        """
        self._name, self._path, self._interruptions = name, path, 0
        signal.setitimer(signal.ITIMER_REAL, self.seconds, AGAIN_SECONDS)
        try:
            yield
        finally:
            self._name = ""
            signal.setitimer(signal.ITIMER_REAL, 0)
            if self._interruptions:
                self._require_few_late(name, path)

    def interrupt(self, *_: object) -> None:
        """The signal's handler, in the thread of the function."""
        if not self._name:
            return
        self._interruptions += 1
        if self._interruptions > INTERRUPTIONS:
            self.last_words(
                f"{self._sentence(self._name, self._path)}, and went on after {INTERRUPTIONS} interruptions: it "
                "handles BaseException, so that only the end of the worker ends it. Mend the function"
            )
        raise TookTooLong(
            f"the function has not answered within {self.seconds:g} s, and was ended; let it answer from the document "
            "alone, or answer None for such a record"
        )

    def _require_few_late(self, name: str, path: str) -> None:
        now = time.monotonic()
        self._late = [*(late for late in self._late if now - late < LATE_SECONDS), now]
        if len(self._late) >= MOST_LATE:
            raise TransformUnusable(
                f"{self._sentence(name, path)}, the {MOST_LATE}rd time within {LATE_SECONDS:.0f} s; no record of these "
                "has been moved, and no further one is tried. Mend the function and raise the attempt"
            )

    def _sentence(self, name: str, path: str) -> str:
        return f"transform.python.entrypoint {name} has not answered for {path} within {self.seconds:g} s"


@dataclass(slots=True)
class _Process:
    bound: Bound | None = None


_PROCESS = _Process()


def bound_calls(last_words: Callable[[str], None], seconds: float = SECONDS) -> None:
    """From now on calls of this process are bounded. To be asked of the main thread, which has to make the calls.

    `last_words` gets a sentence when a function cannot be stopped, and has to end the process.
    """
    _PROCESS.bound = Bound(seconds, last_words)
    signal.signal(signal.SIGALRM, _PROCESS.bound.interrupt)


def unbound_calls() -> None:
    """Undo `bound_calls`."""
    _PROCESS.bound = None
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


@contextmanager
def bounded_call(name: str, path: str) -> Iterator[None]:
    """Bound what runs inside, where this process asks for that. Raises as `Bound.call`."""
    if _PROCESS.bound is None:
        yield
        return
    with _PROCESS.bound.call(name, path):
        yield
