"""`make bench`: measure, print a line for each figure, and fail when a target is missed by more than noise.

``make bench BENCH_ARGS="NAME…"`` runs just some of them.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from tests.bench import growth, paired
from tests.bench.figures import Figure

from firelift.sandbox.emulator import Emulator
from firelift.sandbox.processes import Supervisor

HEAP = "-Xmx4g"
"""Of the emulator, by the one variable that goes over its command line: in half of it 200,000 documents and their
older versions leave it collecting garbage."""

Bench = Callable[[str], Awaitable[list[Figure]]]

BENCHES: dict[str, Bench] = {
    "cpu": paired.worker_cpu_vs_official,
    "in-place": paired.throughput_in_place,
    "copies": paired.throughput_copies,
    "there-and-back": paired.there_and_back,
    "million": growth.on_a_scripted_server,
    "growth": growth.on_the_emulator,
}


def main(chosen: Sequence[str]) -> int:
    """Run benchmarks by name, all of them without one; the exit code."""
    unknown = [name for name in chosen if name not in BENCHES]
    if unknown:
        return _say(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHES)}", 2)
    figures: list[Figure] = []
    failed: list[str] = []
    for name in chosen or BENCHES:
        try:
            figures += _measured(BENCHES[name])
        except RuntimeError as error:
            failed.append(name)
            _say(f"# {name} could not be measured: {error}", 1)
    alarms = [figure.name for figure in figures if figure.alarming]
    missed = [figure.name for figure in figures if not figure.reached]
    _say(f"# {len(figures)} figures, {len(missed)} targets missed" + (f": {', '.join(missed)}" if missed else ""), 0)
    return 1 if alarms or failed else 0


def _measured(bench: Bench) -> list[Figure]:
    os.environ.setdefault("_JAVA_OPTIONS", HEAP)
    # An emulator for each: what it has held makes it slower.
    with Supervisor(Path(tempfile.mkdtemp(prefix="firelift-bench-")), remove=True) as supervisor:
        emulator = Emulator(supervisor)
        emulator.wait()
        figures = asyncio.run(_run(bench, emulator.host))
    for figure in figures:
        for line in filter(None, (figure.line, figure.comment)):
            _say(line, 0)
    return figures


async def _run(bench: Bench, host: str) -> list[Figure]:
    return await bench(host)


def _say(line: str, code: int) -> int:
    print(line, flush=True)  # noqa: T201 - this is a program
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
