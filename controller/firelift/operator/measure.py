"""Measurements of gates: asked for in the background, handed in when there; no provider stops a turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from firelift.api.conditions import ConditionStatus
from firelift.api.gates import CloudMonitoringQuery, EnvironmentQuery, GateSpec, LedgerQuery
from firelift.api.measurement import Measurement, Window
from firelift.metrics.cloud_monitoring import CloudMonitoring
from firelift.metrics.ledger import LedgerReading, measure_ledger
from firelift.operator.telemetry.metrics import Metrics
from firelift.rollout.gates import is_newest
from firelift.rollout.ground import EnvironmentSeen
from firelift.rollout.observation import MeasurementSeen, MeasurementWanted
from firelift.rollout.phase_work import PhaseWork
from firelift.rollout.state import RolloutState


class Measurer:
    """The questions of one rollout that are under way or answered and not yet handed in."""

    def __init__(self, provider: CloudMonitoring, metrics: Metrics, *, timeout_seconds: float) -> None:
        self._provider = provider
        self._metrics = metrics
        self._timeout = timeout_seconds
        self._asked: dict[MeasurementWanted, asyncio.Task[Measurement]] = {}

    async def take(
        self,
        wanted: Iterable[tuple[MeasurementWanted, GateSpec]],
        *,
        project: str,
        patience_seconds: float,
        answered: Callable[[], None],
    ) -> tuple[MeasurementSeen, ...]:
        """The answers to what is wanted, as far as they are there within `patience_seconds`.

        `answered` is called when a later one comes in. A question that is no longer wanted is dropped.
        """
        specs = dict(wanted)
        self._drop(set(self._asked) - set(specs))
        late = [self._ask(each, spec, project) for each, spec in specs.items() if each not in self._asked]
        if late:
            await asyncio.wait(late, timeout=patience_seconds)
        for task in late:
            if not task.done():
                task.add_done_callback(lambda _: answered())
        return tuple(
            MeasurementSeen(each.gate, each.window, task.result())
            for each, task in self._asked.items()
            if task.done() and not task.cancelled()
        )

    def close(self) -> None:
        """Drop all questions."""
        self._drop(set(self._asked))

    def _drop(self, unwanted: set[MeasurementWanted]) -> None:
        for each in unwanted:
            self._asked.pop(each).cancel()

    def _ask(self, wanted: MeasurementWanted, spec: GateSpec, project: str) -> asyncio.Task[Measurement]:
        task = asyncio.create_task(self._measure(spec, wanted.window, project), name=f"gate {wanted.gate}")
        self._asked[wanted] = task
        return task

    async def _measure(self, spec: GateSpec, window: Window, project: str) -> Measurement:
        if spec.cloud_monitoring is None:
            return failed(f"gate {spec.name} asks for no metric", "")
        begun = time.monotonic()
        measurement = await self._answer(spec.cloud_monitoring, window, project)
        outcome = "failed" if measurement.error else "absent" if measurement.value is None else "measured"
        self._metrics.measurements.labels(outcome).observe(time.monotonic() - begun)
        return measurement

    async def _answer(self, query: CloudMonitoringQuery, window: Window, project: str) -> Measurement:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._provider.measure(query, window, project=project)
        except TimeoutError:
            return failed(f"no answer within {self._timeout:g} s", str(query))
        except Exception as error:  # noqa: BLE001 - whatever a provider does, it is an error of this gate and no more
            return failed(f"{type(error).__name__}: {error}", str(query))


def failed(sentence: str, query: str) -> Measurement:
    """A measurement that could not be made."""
    return Measurement(value=None, samples=0, unit="", query=query, time=datetime.now(UTC), error=sentence)


def asked(state: RolloutState, due: Iterable[MeasurementWanted]) -> list[tuple[MeasurementWanted, GateSpec]]:
    """Each measurement with its gate as the running phase froze it."""
    phase = state.phases[state.phase_index] if state.phase_index < len(state.phases) else None
    specs = {gate.name: gate for gate in (phase.gates if phase else ())}
    return [(each, specs[each.gate]) for each in due if each.gate in specs]


def measure_work(gate: GateSpec, query: LedgerQuery, window: Window, work: PhaseWork, now: datetime) -> Measurement:
    """A ledger gate's measurement. The ledger knows only what is now: a window that was missed stays unmeasured."""
    if not is_newest(gate, window, now):
        return Measurement(None, 0, "", f"ledger {query.metric}", now, absent="it was not measured at the time")
    return measure_ledger(_reading(work), query.metric, now)


def measure_environment(
    gate: GateSpec, query: EnvironmentQuery, window: Window, seen: Mapping[str, EnvironmentSeen], now: datetime
) -> Measurement:
    """An environment gate's measurement. Like the ledger's, it is of now: a window that was missed stays unmeasured."""
    asked_for = f"environment {query.name} {query.condition}"
    if not is_newest(gate, window, now):
        return Measurement(None, 0, "", asked_for, now, absent="it was not measured at the time")
    environment = seen.get(query.name, EnvironmentSeen())
    if not environment.exists:
        error = environment.error or f"there is no FirestoreEnvironment {query.name} in this namespace"
        return Measurement(None, 0, "", asked_for, now, error=error)
    found = environment.conditions.get(query.condition)
    if found is None or found.status is ConditionStatus.UNKNOWN:
        return Measurement(None, 0, "", asked_for, now, absent=f"{query.name} does not know of {query.condition} yet")
    if found.generation != environment.generation:
        absent = (
            f"{query.condition} speaks of generation {found.generation}, {query.name} is at {environment.generation}"
        )
        return Measurement(None, 0, "", asked_for, now, absent=absent)
    since = f" since {found.since:%Y-%m-%dT%H:%M:%SZ}" if found.since else ""
    told = f"{query.condition} is {found.status}{since}" + (f": {found.message}" if found.message else "")
    value = 1.0 if found.status is ConditionStatus.TRUE else 0.0
    return Measurement(value, 1, "1", asked_for, now, newest=window.end, told=told)


def _reading(work: PhaseWork) -> LedgerReading:
    return LedgerReading(
        documents=work.moving.read,
        failures=work.moving.open_letters,
        dead_letters=work.moving.open_letters,
        checked=work.checking.read,
        mismatches=work.checking.mismatches,
        commit_latencies_ms=work.commit_latencies_ms,
        newest=work.newest,
    )
