"""The comparisons: in each round both sides, one after the other, on projects of their own that are alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import TypeVar

from tests.bench import material
from tests.bench.figures import Figure, at_least, at_most
from tests.bench.scenes import Worked, scene

from firelift.api.migration import MigrationSpec
from firelift.api.run import RunKind

ROUNDS = 5

MICROSECONDS = 1e6
OFFICIAL = "tests.bench.official"
PUMP = "tests.bench.pump"

CPU_DOCUMENTS = 20_000
RATE_DOCUMENTS = 20_000
CHAIN_DOCUMENTS = 20_000

Pair = TypeVar("Pair")


async def worker_cpu_vs_official(host: str) -> list[Figure]:
    """CPU of the worker's whole process against that of the official client's, start-up taken off both."""

    async def sides(documents: int) -> tuple[float, float]:
        ours = (await _moved(host, documents, material.in_place())).usage.cpu_seconds
        async with scene(host, documents) as there:
            theirs, _ = await there.peer(OFFICIAL)
        return ours, theirs.cpu_seconds

    idle = await sides(0)
    rounds = await _rounds(sides, CPU_DOCUMENTS)
    per_document = MICROSECONDS / CPU_DOCUMENTS
    ours = [(ours - idle[0]) * per_document for ours, _ in rounds]
    theirs = [(theirs - idle[1]) * per_document for _, theirs in rounds]
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return [
        at_most("worker-cpu-vs-official", ratios, "ratio", target=1 / 5, alarm=1 / 3),
        Figure("worker-cpu-per-document", ours, "us"),
        Figure("official-cpu-per-document", theirs, "us"),
    ]


async def throughput_in_place(host: str) -> list[Figure]:
    """Documents per second of the worker over those of the bare pump, changing documents where they stand."""
    ratios, rates = await _against_the_pump(host, material.in_place(), "in-place")
    return [
        at_least("throughput-vs-bare-pump", ratios, "ratio", target=0.85, alarm=0.6),
        Figure("throughput-in-place", rates, "documents/s"),
    ]


async def throughput_copies(host: str) -> list[Figure]:
    """The same for copies, each under a guard on its source."""
    ratios, rates = await _against_the_pump(host, material.copy(), "copy")
    return [
        at_least("throughput-vs-bare-pump-guarded-copies", ratios, "ratio", target=0.7, alarm=0.5),
        Figure("throughput-guarded-copies", rates, "documents/s"),
    ]


@dataclass(frozen=True, slots=True)
class Chain:
    """A migration, its verification and its revert, one after the other."""

    migrate: Worked
    verify: Worked
    revert: Worked


async def there_and_back(host: str) -> list[Figure]:
    """Rates of verify and revert over that of migrate in place; and what the journal costs."""
    return await _there_and_back(host, material.in_place(), "")


async def there_and_back_copies(host: str) -> list[Figure]:
    """The same for guarded copies."""
    return await _there_and_back(host, material.copy(), "-guarded-copies")


async def _there_and_back(host: str, spec: MigrationSpec, suffix: str) -> list[Figure]:
    chains = await _rounds(partial(_chain, host, spec), CHAIN_DOCUMENTS)
    verify = [chain.migrate.seconds / chain.verify.seconds for chain in chains]
    revert = [chain.migrate.seconds / chain.revert.seconds for chain in chains]
    writes = [_journal_writes(chain.migrate) for chain in chains]
    return [
        at_least(f"verify-vs-migrate{suffix}", verify, "ratio", target=1, alarm=0.6),
        at_least(f"revert-vs-migrate{suffix}", revert, "ratio", target=0.7, alarm=0.4),
        at_most(f"journal-writes-per-document{suffix}", writes, "ratio", target=1.02, alarm=1.02),
    ]


async def _chain(host: str, spec: MigrationSpec, documents: int) -> Chain:
    async with scene(host, documents) as there:
        migrate = material.plan(RunKind.MIGRATE, spec, project=there.project)
        verify = material.plan(RunKind.VERIFY, spec, project=there.project, subjects=(migrate.id,))
        revert = material.plan(RunKind.REVERT, spec, project=there.project, subjects=(migrate.id,))
        chain = Chain(*[await there.worked(each) for each in (migrate, verify, revert)])
        _require(chain, documents)
        return chain


def _require(chain: Chain, documents: int) -> None:
    moved, looked, taken = (each.progress.totals for each in (chain.migrate, chain.verify, chain.revert))
    if not (moved.written == looked.unchanged == taken.written == documents):
        raise RuntimeError(f"{documents} documents are there; moved {moved}, verified {looked}, reverted {taken}")


def _journal_writes(worked: Worked) -> float:
    """Writes of documents and journal over documents. Guards write nothing; how they are billed is unproven."""
    written = worked.progress.totals.written
    return (written + worked.progress.entries) / written


async def _moved(host: str, documents: int, spec: MigrationSpec) -> Worked:
    async with scene(host, documents) as there:
        worked = await there.worked(material.plan(RunKind.MIGRATE, spec, project=there.project))
    if worked.progress.totals.written != documents:
        raise RuntimeError(f"{documents} documents were to move: {worked.progress.totals}")
    return worked


async def _against_the_pump(host: str, spec: MigrationSpec, kind: str) -> tuple[list[float], list[float]]:
    async def pump(documents: int) -> float:
        async with scene(host, documents) as there:
            return (await there.peer(PUMP, kind))[1]

    async def ours(documents: int) -> float:
        return (await _moved(host, documents, spec)).seconds

    turns = cycle((True, False))

    async def pair(documents: int) -> tuple[float, float]:
        # The server has always held more when the second one comes.
        if next(turns):
            return await pump(documents), await ours(documents)
        seconds = await ours(documents)
        return await pump(documents), seconds

    pairs = await _rounds(pair, RATE_DOCUMENTS)
    return [pumped / ours for pumped, ours in pairs], [RATE_DOCUMENTS / ours for _, ours in pairs]


async def _rounds(pair: Callable[[int], Awaitable[Pair]], documents: int) -> list[Pair]:
    """Rounds behind one that is thrown away: a server on the JVM takes three times the CPU at first."""
    await pair(documents)
    return [await pair(documents) for _ in range(ROUNDS)]
