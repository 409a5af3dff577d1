"""Growth: what memory and CPU for each document do while one worker moves more and more of them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
from tests.bench import material
from tests.bench.children import Child, Usage
from tests.bench.figures import Figure, at_most
from tests.bench.plot import Line, plot
from tests.bench.scenes import Scene, scene
from tests.bench.scripted import Scripted

from firelift.api.run import RunKind, RunPlan
from firelift.sandbox.ports import free_port
from firelift.stores.firestore.store import open_firestore

PLOTS = Path("docs/performance")
FROM = 10_000
EMULATOR_DOCUMENTS = 200_000
MILLION = 1_000_000
EVERY_SECONDS = 0.5
MEMORY_LIMIT_MIB = 256
MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Point:
    """A worker behind so many documents."""

    documents: int
    cpu_seconds: float
    resident_mib: float


async def on_the_emulator(host: str) -> list[Figure]:
    """One run over 200,000 documents of a real collection."""
    async with scene(host, EMULATOR_DOCUMENTS) as there:
        made = _plan(there.project)
        async with there.worker(made) as child:
            points, _ = await _watched(child, lambda: _moved(there, made))
    return _figures("", points)


async def on_a_scripted_server(_: str) -> list[Figure]:
    """One run over a million documents that nobody keeps."""
    points, usage = await over_made_up_documents(MILLION)
    peak = at_most("memory-peak-million", [usage.peak_mib], "MiB", MEMORY_LIMIT_MIB, MEMORY_LIMIT_MIB)
    return [*_figures("-million", points), peak]


async def over_made_up_documents(documents: int) -> tuple[list[Point], Usage]:
    """One worker process over so many documents of a scripted server, watched to its end."""
    script = Scripted(documents)
    server = grpc.aio.server(handlers=[script.handlers()])
    host = f"127.0.0.1:{free_port()}"
    server.add_insecure_port(host)
    await server.start()
    project = f"bench-{secrets.token_hex(6)}"
    there = Scene(open_firestore(project, emulator_host=host), host, project)
    try:
        async with there.worker(_plan(project)) as child:
            points, usage = await _watched(child, lambda: _now(script.written))
    finally:
        await there.store.close()
        await server.stop(grace=None)
    if script.written != documents:
        raise RuntimeError(f"{script.written} of {documents} documents were moved: {usage.output[-2000:]}")
    return points, usage


def _plan(project: str) -> RunPlan:
    return material.plan(RunKind.MIGRATE, material.in_place(), project=project)


async def _moved(there: Scene, made: RunPlan) -> int:
    return (await there.progress(made)).totals.written


async def _now(count: int) -> int:
    return count


async def _watched(child: Child, count: Callable[[], Awaitable[int]]) -> tuple[list[Point], Usage]:
    points: list[Point] = []
    ending = asyncio.create_task(child.ended())
    while not ending.done():
        documents, sample = await count(), child.sample()
        # Of a child that has just ended nothing is left to see.
        if sample.resident_mib:
            points.append(Point(documents, sample.cpu_seconds, sample.resident_mib))
        await asyncio.wait([ending], timeout=EVERY_SECONDS)
    return points, await ending


def _figures(suffix: str, points: Sequence[Point]) -> list[Figure]:
    """The last quarter against what came between the first 10,000 documents and a quarter of all."""
    last = points[-1].documents
    early = [point for point in points if FROM <= point.documents <= last / 4]
    late = [point for point in points if point.documents >= last * 3 / 4]
    if len(early) < 2 or len(late) < 2:
        raise RuntimeError(f"too few samples to tell growth from: {len(early)} early and {len(late)} late ones")
    _draw(suffix, points)
    memory = max(point.resident_mib for point in late) / max(point.resident_mib for point in early)
    return [
        at_most(f"memory-growth{suffix}", [memory], "ratio", target=1.15, alarm=1.5),
        at_most(f"cpu-growth{suffix}", [_slope(late) / _slope(early)], "ratio", target=1.15, alarm=1.5),
        Figure(f"cpu-per-document-at-the-end{suffix}", [_slope(late) * MICROSECONDS], "us"),
    ]


def _slope(points: Sequence[Point]) -> float:
    """CPU seconds for each document."""
    return (points[-1].cpu_seconds - points[0].cpu_seconds) / max(1, points[-1].documents - points[0].documents)


def _draw(suffix: str, points: Sequence[Point]) -> None:
    memory = [(point.documents, point.resident_mib) for point in points]
    # Over ten samples, because the kernel counts CPU in hundredths of a second.
    spans = [(one, other) for one, other in zip(points, points[10:], strict=False) if other.documents > one.documents]
    cpu = [(other.documents, _slope([one, other]) * MICROSECONDS) for one, other in spans]
    name = f"growth{suffix}"
    lines = [Line("resident memory, MiB", memory), Line("CPU for each document, us", cpu)]
    PLOTS.mkdir(parents=True, exist_ok=True)
    (PLOTS / f"{name}.svg").write_text(plot(f"One worker over {points[-1].documents:,} documents", lines))
