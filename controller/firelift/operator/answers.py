"""What is asked of metrics in a turn: the gates' measurements that are due, and whether a plan's queries answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from firelift.api.gates import GateSpec
from firelift.api.measurement import Measurement
from firelift.operator.measure import asked, measure_environment, measure_work
from firelift.operator.memory import ObjectMemory
from firelift.operator.services import Services
from firelift.rollout.ground import EnvironmentSeen
from firelift.rollout.observation import (
    MeasurementSeen,
    MeasurementWanted,
    Observation,
    QueryWanted,
    Rollout,
    Wanted,
)
from firelift.rollout.phase_work import phase_work
from firelift.rollout.state import RolloutState

_PLAN = "plan/"
"""Before the names of gates that a plan asks; no gate's own name has a slash in it."""

_Due = tuple[MeasurementWanted, GateSpec]


@dataclass(frozen=True, slots=True)
class Questions:
    """The questions of one rollout's turn. `answered` is called when an answer comes in too late for it."""

    services: Services
    memory: ObjectMemory
    rollout: Rollout
    state: RolloutState
    answered: Callable[[], None]

    async def put(self, want: Wanted, look: Observation) -> Observation:
        """The look with all answers that are there by now; ledger and environments answer out of the look itself."""
        due = asked(self.state, want.measurements)
        asks = [(MeasurementWanted(f"{_PLAN}{name}", ask.window), ask.gate) for name, ask in want.queries.items()]
        others = await self.memory.measurer.take(
            [(each, spec) for each, spec in (*due, *asks) if spec.cloud_monitoring is not None],
            project=self.rollout.spec.database.project,
            patience_seconds=self.services.settings.measurement_patience_seconds,
            answered=self.answered,
        )
        return replace(
            look,
            measurements=(*self._own(due, look), *(each for each in others if not each.gate.startswith(_PLAN))),
            answers={
                **{each.gate.removeprefix(_PLAN): each.measurement for each in others if each.gate.startswith(_PLAN)},
                **dict(tried(want.queries, look.environments)),
            },
        )

    def _own(self, due: Iterable[_Due], look: Observation) -> Iterable[MeasurementSeen]:
        work = phase_work(self.rollout, self.state, look.runs, look.now)
        for each, spec in due:
            if spec.ledger is not None:
                seen = measure_work(spec, spec.ledger, each.window, work, look.now)
            elif spec.environment is not None:
                seen = measure_environment(spec, spec.environment, each.window, look.environments, look.now)
            else:
                continue
            yield MeasurementSeen(each.gate, each.window, seen)


def tried(queries: Mapping[str, QueryWanted], seen: Mapping[str, EnvironmentSeen]) -> Iterator[tuple[str, Measurement]]:
    """What environments answer to a plan: as if its window had just ended, for they only know what is now."""
    for name, ask in queries.items():
        if ask.gate.environment is not None:
            asked = ask.window.end + timedelta(seconds=ask.gate.delay_seconds)
            yield name, measure_environment(ask.gate, ask.gate.environment, ask.window, seen, asked)
