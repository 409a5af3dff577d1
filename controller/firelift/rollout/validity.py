"""What the schema cannot refuse: a spec that reached the operator all the same, as a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from firelift.api.gates import GateSpec
from firelift.api.migration import MigrationSpec
from firelift.api.rollout import PhaseSpec, RolloutSpec
from firelift.api.steps import VERBS, StepSpec
from firelift.api.steps.soak import Evidence
from firelift.rollout.condition import check


def problem(spec: RolloutSpec) -> str:
    """The first thing that makes a spec impossible to follow; empty when there is none."""
    return next(_problems(spec), "")


def _problems(spec: RolloutSpec) -> Iterator[str]:
    yield from _twice("migration", (migration.name for migration in spec.migrations))
    yield from _twice("phase", (phase.name for phase in spec.phases))
    for migration in spec.migrations:
        yield from _migration(migration)
    for phase in spec.phases:
        for gate in spec.gates_of(phase):
            yield from _gate(phase, gate)
        yield from _phase(spec, phase)


def _twice(what: str, names: Iterable[str]) -> Iterator[str]:
    yield from (f"{what} {name} is there {count} times" for name, count in Counter(names).items() if count > 1)


def _migration(migration: MigrationSpec) -> Iterator[str]:
    source, target = migration.source, migration.target
    if (source.collection is None) == (source.collection_group is None):
        yield f"migration {migration.name} must have exactly one of source.collection and source.collectionGroup"
    if (target.document is None) == (target.in_place is None):
        yield f"migration {migration.name} must have exactly one of target.document and target.inPlace"
    if target.document is not None and len(target.document.split("/")) % 2:
        yield f"migration {migration.name}: target.document must be a path of collection and document pairs"


def _gate(phase: PhaseSpec, gate: GateSpec) -> Iterator[str]:
    where = f"gate {gate.name} of phase {phase.name}"
    limit = gate.limit
    if (gate.cloud_monitoring is None) == (gate.ledger is None):
        yield f"{where} must have exactly one of cloudMonitoring and ledger"
    if (limit.condition is None) == (limit.min is None and limit.max is None):
        yield f"{where} must have either a limit.condition, or limit.min and limit.max, at least one of them"
    if limit.condition is not None and (sentence := check(limit.condition)):
        yield f"{where}: {sentence}"
    if gate.fail_after.failures > gate.fail_after.of:
        yield f"{where}: failAfter wants {gate.fail_after.failures} failures of only {gate.fail_after.of} samples"


def _phase(spec: RolloutSpec, phase: PhaseSpec) -> Iterator[str]:
    if any(sum(getattr(step, verb) is not None for verb in VERBS) != 1 for step in phase.steps):
        yield f"each step of phase {phase.name} must have exactly one verb"
        return
    yield from _twice(f"step of phase {phase.name}:", (step.key for step in phase.steps))
    known = {migration.name for migration in spec.migrations}
    for step in phase.steps:
        where = f"step {step.key} of phase {phase.name}"
        named = step.migrate.migrations if step.migrate else step.verify.migrations if step.verify else ()
        yield from (f"{where} names migration {name}, which is not there" for name in named if name not in known)
        yield from (f"{where}: {sentence}" for sentence in _step(spec, phase, step))


def _step(spec: RolloutSpec, phase: PhaseSpec, step: StepSpec) -> Iterator[str]:
    if step.migrate and (step.migrate.cohort.percent is None) == (step.migrate.cohort.ids is None):
        yield "the cohort must have exactly one of percent and ids"
    if step.soak and step.soak.evidence is Evidence.GATES and not spec.gates_of(phase):
        yield "a soak without gates must say evidence: None"
    if step.flags and step.flags.max_seconds and step.flags.max_seconds <= step.flags.propagation_seconds:
        yield (
            f"maxSeconds {step.flags.max_seconds} must be greater than "
            f"propagationSeconds {step.flags.propagation_seconds}"
        )
