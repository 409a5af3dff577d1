"""`make bench`: measure, print a line for each figure, and fail when a target is missed by more than noise.

``make bench BENCH_ARGS="NAME…"`` runs just some of them; with ``--record NOTE`` the figures become a row of the history
in ``docs/performance.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import growth, paired
from tests.bench.figures import Figure
from tests.bench.history import record
from tests.bench.ranges import place, ranges
from tests.bench.rollouts import churn, thousand

from firelift.sandbox.emulator import Emulator
from firelift.sandbox.processes import Supervisor

HEAP = "-Xmx4g"
"""Of the emulator, by the one variable that goes over its command line: in half of it 200,000 documents and their
older versions leave it collecting garbage."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What it does with an emulator's host, and the figures that it answers."""

    run: Callable[[str], Coroutine[None, None, list[Figure]]]
    figures: tuple[str, ...]


_BACK = ("verify-vs-migrate", "revert-vs-migrate", "journal-writes-per-document")
_GROWTH = ("memory-growth", "cpu-growth", "cpu-per-document-at-the-end")

SCRIPTED: dict[str, Bench] = {
    "million": Bench(growth.on_a_scripted_server, (*(f"{name}-million" for name in _GROWTH), "memory-peak-million")),
}

ON_THE_EMULATOR: dict[str, Bench] = {
    "cpu": Bench(
        paired.worker_cpu_vs_official,
        ("worker-cpu-vs-official", "worker-cpu-per-document", "official-cpu-per-document"),
    ),
    "in-place": Bench(paired.throughput_in_place, ("throughput-vs-bare-pump", "throughput-in-place")),
    "copies": Bench(paired.throughput_copies, ("throughput-vs-bare-pump-guarded-copies", "throughput-guarded-copies")),
    "there-and-back": Bench(paired.there_and_back, _BACK),
    "there-and-back-copies": Bench(paired.there_and_back_copies, tuple(f"{name}-guarded-copies" for name in _BACK)),
    "growth": Bench(growth.on_the_emulator, _GROWTH),
}
"""Each has an emulator of its own: what one has held makes it slower, also when it was dropped. Its collector's pauses
grew from 30 to 775 ms while it held 0.3 and then 1 GB, and hit whichever side of a ratio was at work."""

CLUSTERS: dict[str, Bench] = {
    "rollouts": Bench(thousand.a_thousand_rollouts, thousand.FIGURES),
    "churn": Bench(churn.an_hour_of_churn, churn.FIGURES),
}
"""These bring a control plane and an emulator of their own."""

BENCHES = {**SCRIPTED, **ON_THE_EMULATOR, **CLUSTERS}
NAMES = tuple(BENCHES)


def main(arguments: Sequence[str]) -> int:
    """Run benchmarks by name, all of them without one; the exit code."""
    asked = _arguments(arguments)
    chosen = asked.names or NAMES
    measured = _Measured()
    for name in (name for name in SCRIPTED if name in chosen):
        measured.run(name, SCRIPTED[name], "")
    for name in (name for name in ON_THE_EMULATOR if name in chosen):
        with _emulator() as host:
            measured.run(name, ON_THE_EMULATOR[name], host)
    for name in (name for name in CLUSTERS if name in chosen):
        measured.run(name, CLUSTERS[name], "")
    if asked.record is not None:
        record(asked.record, measured.figures)
    return measured.told()


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure how fast a worker is.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--record", metavar="NOTE", help="keep the figures in docs/performance.md, with this note")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return asked


class _Measured:
    """The figures so far, and what could not be measured."""

    def __init__(self) -> None:
        self.figures: list[Figure] = []
        self._failed = False

    def run(self, name: str, bench: Bench, host: str) -> None:
        """One benchmark; one that cannot be measured says so and lets the others run."""
        began = time.monotonic()
        try:
            figures = asyncio.run(bench.run(host))
            _require(bench, figures)
        except RuntimeError as error:
            self._failed = True
            _say(f"# {name} could not be measured: {error}")
            return
        self.figures += figures
        for figure in figures:
            _say(figure.line)
            _say(f"#     {', '.join([*figure.remarks, place(figure)])}")
        _say(f"# {name} took {time.monotonic() - began:.0f} s")

    def told(self) -> int:
        """The last line, and the exit code."""
        missed = [figure.name for figure in self.figures if not figure.reached]
        outside = [figure.name for figure in self.figures if not ranges()[figure.name].holds(figure.value)]
        _say(f"# {len(self.figures)} figures, {_counted('targets missed', missed)}, {_counted('outside', outside)}")
        return 1 if self._failed or any(figure.alarming for figure in self.figures) else 0


@contextmanager
def _emulator() -> Iterator[str]:
    os.environ.setdefault("_JAVA_OPTIONS", HEAP)
    with Supervisor(Path(tempfile.mkdtemp(prefix="firelift-bench-")), remove=True) as supervisor:
        emulator = Emulator(supervisor)
        emulator.wait()
        yield emulator.host


def _require(bench: Bench, figures: Sequence[Figure]) -> None:
    """A figure that nobody has announced has no range, and one that is missing would not be missed."""
    if (found := {figure.name for figure in figures}) != set(bench.figures):
        raise RuntimeError(f"it answers {sorted(found)}, and was to answer {sorted(bench.figures)}")


def _counted(what: str, names: Sequence[str]) -> str:
    return f"{len(names)} {what}" + (f" ({', '.join(names)})" if names else "")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this is a program


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
