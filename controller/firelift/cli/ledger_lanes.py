"""What works for a rollout at the moment, as its ledger has it: run by run, with the lanes of each."""

from __future__ import annotations

from collections.abc import Sequence

from firelift.api.run import RunState
from firelift.cli import ledgers
from firelift.cli.lanes import WIDTH
from firelift.cli.ledgers import RunSeen
from firelift.cli.sections import Row, Section, Tone
from firelift.cli.sparks import bar
from firelift.cli.views import RolloutView


async def ask(view: RolloutView) -> Section:
    """Read the ledger, and show it.

    Raises:
        Problem: the database cannot be read.
    """
    database, name = ledgers.of(view)
    async with ledgers.opened(database) as store:
        return section(await ledgers.runs(store, name))


def section(runs: Sequence[RunSeen]) -> Section:
    """A line for each run that is not over: how far, and how many of its lanes are closed for good."""
    if not runs:
        return Section("Lanes", (Row("", "none: the ledger has no run that is not over"),))
    return Section("Lanes", tuple(_lanes(seen) for seen in runs))


def _lanes(seen: RunSeen) -> Row:
    progress, control = seen.progress, seen.run.control
    lease = "" if seen.writes or control.state is not RunState.RUN else "its lease has run out, so its workers idle"
    said = f"waits: {progress.said.waiting}" if progress.said.waiting else progress.said.failure
    facts = [
        bar(progress.scanned / progress.estimate if progress.estimate else 0.0, WIDTH),
        f"{progress.sealed:,} of {progress.lanes:,} lanes closed" if progress.lanes else "no lanes yet",
        f"{progress.scanned:,} of {progress.estimate:,} read" if progress.estimate else f"{progress.scanned:,} read",
        f"{progress.totals.written:,} written",
        control.state.value,
        lease,
        said,
    ]
    tone = Tone.BAD if progress.said.failure or lease else Tone.PLAIN
    return Row(seen.run.plan.id, "  ".join(fact for fact in facts if fact), tone)
