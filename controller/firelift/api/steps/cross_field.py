"""What must hold between the fields of a step and of a phase's steps."""

from __future__ import annotations

from typing import Any

from firelift.api.rules import Rule

_VERBS = ("flags", "migrate", "verify", "soak", "approve", "sweep", "delete", "indexes", "backup", "restore")
_SET = "[" + ", ".join(f"has(self.{verb})" for verb in _VERBS) + "].filter(is_set, is_set).size()"
_LASTS = (
    "(has(self.soak) ? self.soak.seconds : has(self.flags) ? self.flags.propagationSeconds"
    " : has(self.indexes) ? self.indexes.minReadySeconds : 0)"
)
_KEY = "(has(s.name) ? s.name : " + " : ".join(f"has(s.{verb}) ? '{verb}'" for verb in _VERBS) + " : '')"


def _verbs(step: Any) -> int:
    return sum(getattr(step, verb) is not None for verb in _VERBS)


def _least_seconds(step: Any) -> int:
    """How long a step lasts at least."""
    if step.soak:
        return int(step.soak.seconds)
    if step.indexes:
        return int(step.indexes.min_ready_seconds)
    return int(step.flags.propagation_seconds) if step.flags else 0


STEP_RULES = (
    Rule(
        f"{_SET} == 1",
        f"a step must have exactly one of {', '.join(_VERBS)}, not %d",
        lambda step: _verbs(step) == 1,
        inserts=(_SET,),
        values=lambda step: (_verbs(step),),
    ),
    Rule(
        "!self.irreversible || has(self.flags) || has(self.migrate) || has(self.delete) || has(self.restore)",
        "only `flags`, `migrate`, `delete` and `restore` can be `irreversible`: the other verbs change nothing of their"
        " own",
        lambda step: not step.irreversible or step.flags or step.migrate or step.delete or step.restore,
        field=".irreversible",
    ),
    Rule(
        "!has(self.restore) || self.irreversible",
        "a restore step must be `irreversible: true`: nothing keeps what an import overwrites",
        lambda step: step.restore is None or step.irreversible,
        field=".irreversible",
    ),
    Rule(
        "!self.irreversible || self.onRevert == 'Undo'",
        "an `irreversible` step must not have `onRevert: Keep`: a revert stops there and does not pass it",
        lambda step: not step.irreversible or step.on_revert == "Undo",
        field=".onRevert",
    ),
    Rule(
        "!has(self.onTimeout) || has(self.timeoutSeconds)",
        "`onTimeout` must come with `timeoutSeconds`",
        lambda step: step.on_timeout is None or step.timeout_seconds is not None,
        field=".onTimeout",
    ),
    Rule(
        f"!has(self.timeoutSeconds) || self.timeoutSeconds > {_LASTS}",
        "`timeoutSeconds` must be more than the %d s that the step lasts, not %d",
        lambda step: step.timeout_seconds is None or step.timeout_seconds > _least_seconds(step),
        inserts=(_LASTS, "self.timeoutSeconds"),
        values=lambda step: (_least_seconds(step), step.timeout_seconds),
        field=".timeoutSeconds",
    ),
)

_TAKEN_BACK = (
    "self.steps.exists(i, s, has(s.verify) && self.steps.exists(j, t, j < i && has(t.migrate))"
    " && self.steps.all(k, u, k > i || (!u.irreversible && u.onRevert == 'Undo' && !has(u.delete))))"
)


def _can_be_rehearsed(phase: Any) -> bool:
    moved = False
    for step in phase.steps:
        if step.irreversible or step.on_revert != "Undo" or step.delete:
            return False
        if moved and step.verify:
            return True
        moved = moved or step.migrate is not None
    return False


def _speaks_of_something(verb: str) -> Rule:
    def holds(phase: Any) -> bool:
        steps = [(getattr(step, verb), phase.steps[:index]) for index, step in enumerate(phase.steps)]
        return all(own is None or own.migrations or any(each.migrate for each in before) for own, before in steps)

    return Rule(
        f"self.steps.all(i, s, !has(s.{verb}) || s.{verb}.migrations.size() > 0"
        " || self.steps.exists(j, t, j < i && has(t.migrate)))",
        f"a {verb} step must name its `migrations` where its phase has migrated nothing in front of it",
        holds,
        field=".steps",
    )


PHASE_RULES = (
    Rule(
        f"!self.rehearse || {_TAKEN_BACK}",
        "a phase to `rehearse` must have a verify step behind a migrate step, and up to there only what can be undone",
        lambda phase: not phase.rehearse or _can_be_rehearsed(phase),
        field=".rehearse",
    ),
    Rule(
        f"self.steps.map(s, {_KEY}).all(key, self.steps.exists_one(s, {_KEY} == key))",
        "names of steps must be unique within a phase; a step without a name is called by its verb",
        lambda phase: len({step.key for step in phase.steps}) == len(phase.steps),
        field=".steps",
    ),
    _speaks_of_something("verify"),
    _speaks_of_something("sweep"),
    Rule(
        "self.steps.all(i, s, !has(s.delete) || s.irreversible || self.steps.exists(j, t, j < i && has(t.approve)))",
        "a delete step must have an approve step in front of it in its phase: people decide what goes",
        lambda phase: all(
            step.delete is None or step.irreversible or any(other.approve for other in phase.steps[:index])
            for index, step in enumerate(phase.steps)
        ),
        field=".steps",
    ),
)
