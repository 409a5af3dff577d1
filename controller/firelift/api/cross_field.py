"""What must hold between the parts of a rollout: names that are known, cohorts that grow, soaks that are judged."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from firelift.api.rules import Rule

_FALLS_LATER = (
    "self.phases.exists(i, p, p.steps.exists(a, s, has(s.migrate) && has(s.migrate.cohort.percent)"
    " && self.phases.exists(j, q, j >= i && q.steps.exists(b, t, has(t.migrate) && has(t.migrate.cohort.percent)"
    " && t.migrate.cohort.percent < s.migrate.cohort.percent && (j > i || b > a)"
    " && sets.intersects(s.migrate.migrations, t.migrate.migrations)))))"
)


_PUBLISHED_FALLS = (
    "self.phases.exists(i, p, p.steps.exists(a, s, has(s.flags) && s.flags.publishCohort.size() > 0"
    " && self.phases.exists(j, q, j >= i && q.steps.exists(b, t, has(t.flags) && (j > i || b > a)"
    " && t.flags.configMap.name == s.flags.configMap.name && s.flags.publishCohort.exists(k,"
    " k in t.flags.publishCohort && t.flags.publishCohort[k] < s.flags.publishCohort[k])))))"
)

_WRITES = "(has(t.migrate) || has(t.sweep) || has(t.delete))"
_RESTORED_FIRST = (
    "self.phases.all(i, p, p.steps.all(a, s, !has(s.restore) || self.phases.all(j, q, j > i || q.steps.all(b, t,"
    f" (j == i && b > a) || !{_WRITES}))))"
)


def _steps(spec: Any) -> list[Any]:
    return [step for phase in spec.phases for step in phase.steps]


def _named(step: Any) -> tuple[str, ...]:
    verb = step.migrate or step.verify or step.sweep or step.delete
    return tuple(verb.migrations) if verb else ()


def _unknown(spec: Any) -> list[str]:
    known = {migration.name for migration in spec.migrations}
    return [name for step in _steps(spec) for name in _named(step) if name not in known]


def _deletes_what_copies(spec: Any) -> bool:
    copying = {migration.name for migration in spec.migrations if migration.target.document is not None}
    return all(name in copying for step in _steps(spec) if step.delete for name in step.delete.migrations)


def _where_goes_back(spec: Any) -> bool:
    returning = {migration.name for migration in spec.migrations if migration.reverse is not None}
    chosen = [step.migrate for step in _steps(spec) if step.migrate and step.migrate.cohort.where is not None]
    return returning.isdisjoint(name for move in chosen for name in move.migrations)


def _rises(spec: Any, migration: str) -> bool:
    moves = [step.migrate for step in _steps(spec) if step.migrate and migration in step.migrate.migrations]
    percents = [move.cohort.percent for move in moves if move.cohort.percent is not None]
    return all(earlier <= later for earlier, later in pairwise(percents))


def _published_rises(spec: Any) -> bool:
    published: dict[tuple[str, str], int] = {}
    for flags in (step.flags for step in _steps(spec) if step.flags):
        for key, percent in flags.publish_cohort.items():
            place = (flags.config_map.name, key)
            if percent < published.get(place, 0):
                return False
            published[place] = percent
    return True


def _restores_first(spec: Any) -> bool:
    steps = _steps(spec)
    last = max((index for index, step in enumerate(steps) if step.restore), default=0)
    return not any(step.migrate or step.sweep or step.delete for step in steps[:last])


def _soaks_have_evidence(spec: Any) -> bool:
    return all(
        step.soak is None or step.soak.evidence == "None" or spec.gates or phase.gates
        for phase in spec.phases
        for step in phase.steps
    )


ROLLOUT_RULES = (
    Rule(
        "self.phases.all(p, p.steps.all(s,"
        " (!has(s.migrate) || s.migrate.migrations.all(n, self.migrations.exists(m, m.name == n)))"
        " && (!has(s.verify) || s.verify.migrations.all(n, self.migrations.exists(m, m.name == n)))"
        " && (!has(s.sweep) || s.sweep.migrations.all(n, self.migrations.exists(m, m.name == n)))))",
        "steps must only name migrations of `spec.migrations`: %s",
        lambda spec: not _unknown(spec),
        inserts=("self.migrations.map(m, m.name)",),
        values=lambda spec: (json.dumps([migration.name for migration in spec.migrations]),),
        field=".phases",
    ),
    Rule(
        "self.phases.all(p, p.steps.all(s, !has(s.delete) || s.delete.migrations.all(n,"
        " self.migrations.exists(m, m.name == n && has(m.target.document)))))",
        "a delete step must name migrations of `spec.migrations` that copy: one in place has no source to clean up",
        _deletes_what_copies,
        field=".phases",
    ),
    Rule(
        "self.migrations.all(m, !has(m.reverse)) || self.phases.all(p, p.steps.all(s, !has(s.migrate)"
        " || !has(s.migrate.cohort.where) || s.migrate.migrations.all(n,"
        " self.migrations.exists(m, m.name == n && !has(m.reverse)))))",
        "a cohort by `where` must not move a migration with `reverse`: once its conditions have changed, nobody can"
        " tell whose documents go back; use `percent` or `ids`",
        _where_goes_back,
        field=".phases",
    ),
    Rule(
        f"!{_FALLS_LATER}",
        "the percent of a migration must never fall from one migrate step to a later one",
        lambda spec: all(_rises(spec, migration.name) for migration in spec.migrations),
        field=".phases",
    ),
    Rule(
        f"!{_PUBLISHED_FALLS}",
        "a published percent must never fall from one flags step to a later one: moved data would be unseen",
        _published_rises,
        field=".phases",
    ),
    Rule(
        "self.gates.size() > 0 || self.phases.all(p, p.gates.size() > 0"
        " || p.steps.all(s, !has(s.soak) || s.soak.evidence == 'None'))",
        "a soak without gates must say `evidence: None`: nothing would judge it",
        _soaks_have_evidence,
        field=".phases",
    ),
    Rule(
        "!has(self.pace.perEntityWritesPerMinute) || self.migrations.all(m, has(m.entityCollection))",
        "`perEntityWritesPerMinute` must come with `entityKey` and `entityCollection` in every migration: only listed"
        " entities can be told apart before their records are read",
        lambda spec: (
            spec.pace.per_entity_writes_per_minute is None
            or all(migration.entity_collection is not None for migration in spec.migrations)
        ),
        field=".pace",
    ),
    Rule(
        _RESTORED_FIRST,
        "a restore step must stand in front of every migrate, sweep and delete step: what it overwrites would no longer"
        " be as their journals have it, and a revert does not pass it",
        _restores_first,
        field=".phases",
    ),
    Rule(
        "self.phases.all(i, p, i == 0 || !p.rehearse)",
        "only the first phase can be rehearsed",
        lambda spec: not any(phase.rehearse for phase in spec.phases[1:]),
        field=".phases",
    ),
    Rule(
        "!has(self.revertTo) || (has(self.intent) && self.intent == 'Revert')",
        "`revertTo` must come with `intent: Revert`",
        lambda spec: spec.revert_to is None or spec.intent == "Revert",
        field=".revertTo",
    ),
)
