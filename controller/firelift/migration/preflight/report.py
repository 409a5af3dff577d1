"""A plan run: check everything, estimate everything, and write one document that says so."""

from __future__ import annotations

from firelift.api.plan import MOST_CHECKS, PlanReport
from firelift.api.run import RunPlan
from firelift.migration.clock import Clock
from firelift.migration.errors import LedgerBroken
from firelift.migration.ledger import paths
from firelift.migration.preflight.checks import spoken
from firelift.migration.preflight.estimate import estimate
from firelift.migration.preflight.probes import Probes
from firelift.migration.preflight.queries import Queries
from firelift.migration.preflight.sample import Sampler
from firelift.migration.store import Delete, Missing, Put, Store


async def preflight(store: Store, plan: RunPlan, clock: Clock) -> PlanReport:
    """Look at everything that a plan run is asked about.

    Raises:
        LedgerBroken: when the run is no plan run.
    """
    if plan.request is None:
        raise LedgerBroken(f"run {plan.id} is asked for a plan, and does not say of what")
    request = plan.request
    probes = Probes(store, plan, request, clock)
    access = [await probes.database(), await probes.reading(), await probes.writing(), await probes.ledger()]
    counts, counted = await probes.counts()
    samples, sampled = await Sampler(store, plan, request).all()
    queries = Queries(store, request)
    said = spoken(request.migrations, store.values, plan.now, request.retention_seconds, samples)
    checks = (*access, *counted, *await queries.indexes(), *sampled, *said)
    known = {each.migration: each.documents for each in counts}
    return PlanReport(
        checks=checks[:MOST_CHECKS],
        counts=counts,
        samples=samples,
        phases=estimate(request, known, samples, await queries.chosen(known)),
        time=clock.date(),
    )


async def write_report(store: Store, ledger: str, run: str, report: PlanReport) -> None:
    """Keep the report; one that is there is replaced."""
    text = store.values.encode(report.model_dump_json(by_alias=True))
    await store.commit([Put(paths.report(ledger, run), {"report": text})])


async def forget_report(store: Store, ledger: str, run: str) -> None:
    """Delete all that a plan run has left; of one that is gone already, nothing."""
    left = (paths.run(ledger, run), paths.report(ledger, run), paths.failure(ledger, run, 0))
    await store.commit([Delete(path) for path in left])


async def read_report(store: Store, ledger: str, run: str) -> PlanReport | None:
    """The report of a plan run, None before it is written."""
    document = (await store.get([paths.report(ledger, run)]))[0]
    if isinstance(document, Missing):
        return None
    return PlanReport.model_validate_json(store.values.decode(document.fields["report"]))
