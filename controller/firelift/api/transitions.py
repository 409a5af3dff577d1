"""What of a rollout may change, and when: rules over the old and the new object, at the root because they read status.

CEL counts its cost before it runs, from the bounds in the schema; so each rule compares whole filtered lists once
instead of looking for each old item among the new ones.
"""

from __future__ import annotations

from firelift.api.rules import Rule

_STARTED = "has(oldSelf.status) && has(oldSelf.status.startedPhases)"
_USED = (
    "oldSelf.spec.phases.exists(p, p.name in oldSelf.status.startedPhases && p.steps.exists(s,"
    " (has(s.migrate) && m.name in s.migrate.migrations) || (has(s.verify) && m.name in s.verify.migrations)"
    " || (has(s.sweep) && m.name in s.sweep.migrations)"
    " || (has(s.delete) && m.name in s.delete.migrations)))"
)
_COUNT = "oldSelf.status.startedPhases.size()"
_WAS_STARTED = "filter(p, p.name in oldSelf.status.startedPhases)"
_ENDED_WELL = (
    "has(oldSelf.status) && has(oldSelf.status.conditions)"
    " && oldSelf.status.conditions.exists(c, c.type == 'Succeeded' && c.status == 'True')"
)
_RAISED = "self.spec.attempt > oldSelf.spec.attempt"


def _immutable(field: str, why: str) -> Rule:
    return Rule(
        f"self.spec.{field} == oldSelf.spec.{field}", f"`{field}` must not change: {why}", field=f".spec.{field}"
    )


ROLLOUT_ROOT_RULES = (
    _immutable("database", "the ledger of what was moved is in it"),
    _immutable("ledgerID", "what was moved could no longer be found"),
    _immutable("seed", "every cohort would change its members"),
    Rule(
        "self.spec.attempt >= oldSelf.spec.attempt",
        "`attempt` must only rise: it was %d and cannot become %d",
        inserts=("oldSelf.spec.attempt", "self.spec.attempt"),
        field=".spec.attempt",
    ),
    Rule(
        f"!({_RAISED}) || oldSelf.spec.mode != 'Migrate' || !({_ENDED_WELL})",
        "`attempt` must not rise after the rollout has succeeded: move on with a new rollout",
        field=".spec.attempt",
    ),
    Rule(
        f"!({_RAISED}) || !has(self.spec.intent)",
        "`attempt` must not rise while `intent` is set: remove it in the same edit",
        field=".spec.attempt",
    ),
    Rule(
        f"self.spec.mode == oldSelf.spec.mode || !({_STARTED}) || {_COUNT} == 0 || {_RAISED}",
        "`mode` must not change from %s to %s after the first write, unless `attempt` rises",
        inserts=("oldSelf.spec.mode", "self.spec.mode"),
        field=".spec.mode",
    ),
    Rule(
        f"!has(oldSelf.spec.intent) || {_RAISED} || (has(self.spec.intent)"
        " && (self.spec.intent == oldSelf.spec.intent || self.spec.intent == 'Revert'))",
        "`intent: %s` must stay; Abort may become Revert, and only a higher `attempt` leaves it",
        inserts=("oldSelf.spec.intent",),
        field=".spec.intent",
    ),
    Rule(
        f"!({_STARTED}) || self.spec.phases.{_WAS_STARTED} == oldSelf.spec.phases.{_WAS_STARTED}",
        "phases that have started must not be changed, removed or moved: %s",
        inserts=("oldSelf.status.startedPhases.join(', ')",),
        field=".spec.phases",
    ),
    Rule(
        f"!({_STARTED}) || {_COUNT} == 0 || self.spec.phases.size() < {_COUNT}"
        f" || self.spec.phases[{_COUNT} - 1].name == oldSelf.spec.phases[{_COUNT} - 1].name",
        "a phase must not be put before one that has started",
        field=".spec.phases",
    ),
    Rule(
        f"!({_STARTED}) || self.spec.migrations.filter(m, {_USED}) == oldSelf.spec.migrations.filter(m, {_USED})",
        "a migration that a started phase uses must not be changed, removed or moved",
        field=".spec.migrations",
    ),
)
