"""What of a rollout can still be changed, and when: each edit against an object in the state that forbids it."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.api_objects import ApiObjects
from tests.manifests import REMOVE, Edit, Manifest, approval, edited, migrate, phase, rollout

from firelift.sandbox.sandbox import Sandbox

_NOW = {"reason": "Completed", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}
_STARTED = "phases that have started must not be changed, removed or moved: one-percent, everyone"
_BEFORE = "a phase must not be put before one that has started"
_USED = "a migration that a started phase uses must not be changed, removed or moved"
_ABORTED = "`intent: Abort` must stay; Abort may become Revert, and only a higher `attempt` leaves it"
_REVERTED = "`intent: Revert` must stay; Abort may become Revert, and only a higher `attempt` leaves it"
_UNUSED = {
    "name": "unused",
    "source": {"collection": "foods"},
    "target": {"document": "food/{id}"},
}
_NEW = {"name": "new", "steps": [{"approve": {}}]}
_LATER = {"name": "later", "steps": [migrate(100, "unused")]}

_STATES: dict[str, tuple[tuple[Edit, ...], Manifest]] = {
    "fresh": ((), {}),
    "started": (
        (("spec.migrations.2", _UNUSED), ("spec.phases.2", _LATER)),
        {"startedPhases": ["one-percent", "everyone"]},
    ),
    "aborted": ((("spec.intent", "Abort"),), {"startedPhases": ["one-percent"]}),
    "reverted": ((("spec.intent", "Revert"), ("spec.attempt", 2)), {"startedPhases": ["one-percent"]}),
    "rehearsed": (
        (("spec.mode", "DryRun"),),
        {"startedPhases": [], "conditions": [{"type": "Succeeded", "status": "True", **_NOW}]},
    ),
    "succeeded": ((), {"conditions": [{"type": "Succeeded", "status": "True", **_NOW}]}),
}


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> Iterator[ApiObjects]:
    sandbox.install_crds()
    sandbox.kubectl("create", "namespace", "changes")
    yield ApiObjects(sandbox, "changes")
    sandbox.kubectl("delete", "namespace", "changes", "--wait=false")


@pytest.fixture(scope="module")
def states(api: ApiObjects) -> dict[str, Manifest]:
    """One stored object in each state."""
    stored = {}
    for name, (edits, status) in _STATES.items():
        manifest = rollout(*edits, name=name)
        api.create(manifest)
        api.set_status(manifest, status)
        stored[name] = api.get(manifest)
    return stored


def _row(name: str, state: str, sentence: str, *edits: Edit) -> Any:
    return pytest.param(state, sentence, edits, id=name)


@pytest.mark.parametrize(
    ("state", "sentence", "edits"),
    [
        _row("another database", "fresh", "`database` must not change", ("spec.database.name", "other")),
        _row("a database that says its uid now", "fresh", "`database` must not change",
             ("spec.database.uid", "3b9d5a0e-5d0c-4c43-9a0b-1f2d6c8e7a90")),
        _row("another ledger", "fresh", "`ledgerID` must not change", ("spec.ledgerID", "mine")),
        _row("another seed", "fresh", "`seed` must not change", ("spec.seed", "mine")),
        _row("a falling attempt", "reverted", "`attempt` must only rise: it was 2 and cannot become 1",
             ("spec.attempt", 1)),
        _row("an attempt with an intent", "reverted", "`attempt` must not rise while `intent` is set",
             ("spec.attempt", 3)),
        _row("an attempt with a new intent", "started", "`attempt` must not rise while `intent` is set",
             ("spec.attempt", 2), ("spec.intent", "Revert")),
        _row("an attempt after success", "succeeded", "`attempt` must not rise after the rollout has succeeded",
             ("spec.attempt", 2)),
        _row("another mode after the first write", "started",
             "`mode` must not change from Migrate to DryRun after the first write, unless `attempt` rises",
             ("spec.mode", "DryRun")),
        _row("an abort taken back", "aborted", _ABORTED, ("spec.intent", REMOVE)),
        _row("a revert taken back", "reverted", _REVERTED, ("spec.intent", REMOVE)),
        _row("a revert that becomes an abort", "reverted", _REVERTED, ("spec.intent", "Abort")),
        _row("a started phase changed", "started", _STARTED, ("spec.phases.0.steps.4.soak.seconds", 1)),
        _row("a step of a started phase removed", "started", _STARTED, ("spec.phases.1.steps.5", REMOVE)),
        _row("a gate of a started phase added", "started", _STARTED,
             ("spec.phases.0.gates", [{"name": "more", "ledger": {"metric": "deadLetters"}, "limit": {"max": "0"}}])),
        _row("a started phase renamed", "started", _STARTED, ("spec.phases.0.name", "first")),
        _row("a started phase removed", "started", _STARTED, ("spec.phases.0", REMOVE)),
        _row("all but a started phase removed", "started", _STARTED,
             ("spec.phases", [_NEW])),
        _row("started phases swapped", "started", _STARTED,
             ("spec.phases.0", phase("everyone", 1)), ("spec.phases.1", phase("one-percent", 1))),
        _row("a phase before started ones", "started", _BEFORE,
             ("spec.phases", [_NEW, phase("one-percent", 1), phase("everyone", 100)])),
        _row("a phase between started ones", "started", _BEFORE,
             ("spec.phases", [phase("one-percent", 1), _NEW, phase("everyone", 100)])),
        _row("a used migration changed", "started", _USED, ("spec.migrations.0.transform.set", {"createdAt": "now"})),
        _row("a used migration moved elsewhere", "started", _USED, ("spec.migrations.0.target.document", "logs/{id}")),
        _row("a used migration's policy changed", "started", _USED, ("spec.migrations.1.onRevertConflict", "Restore")),
    ],
)  # fmt: skip
def test_a_forbidden_edit_is_refused_with_its_sentence(
    api: ApiObjects, states: dict[str, Manifest], state: str, sentence: str, edits: tuple[Edit, ...]
) -> None:
    assert sentence in (api.refusal_of_change(edited(states[state], *edits)) or "accepted")


@pytest.mark.parametrize(
    ("state", "edits"),
    [
        ("fresh", (("spec.phases.0.steps.4.soak.seconds", 1), ("spec.migrations.0.entityKey", "owner"))),
        ("fresh", (("spec.phases.0", REMOVE),)),
        ("fresh", (("spec.suspend", True),)),
        ("fresh", (("spec.intent", "Abort"),)),
        ("started", (("spec.phases.2", {"name": "later", "steps": [{"approve": {}}]}), ("spec.migrations.2", REMOVE))),
        ("started", (("spec.phases.2", REMOVE),)),
        ("started", (("spec.migrations.2.target.document", "foods2/{id}"),)),
        ("started", (("spec.gates.0.limit.max", "1%"), ("spec.pace.maxWritesPerSecond", 10))),
        ("started", (("spec.attempt", 2),)),
        ("started", (("spec.intent", "Revert"), ("spec.revertTo", "RolloutStart"))),
        ("aborted", (("spec.intent", "Revert"),)),
        ("aborted", (("spec.intent", REMOVE), ("spec.attempt", 2))),
        ("reverted", (("spec.intent", REMOVE), ("spec.attempt", 3))),
        ("fresh", (("spec.mode", "Validate"),)),
        ("started", (("spec.mode", "DryRun"), ("spec.attempt", 2))),
        ("rehearsed", (("spec.mode", "Migrate"),)),
        ("rehearsed", (("spec.mode", "Validate"), ("spec.attempt", 2))),
        ("succeeded", (("spec.ledgerRetentionSeconds", 60),)),
    ],
)
def test_an_edit_that_harms_nothing_is_accepted(
    api: ApiObjects, states: dict[str, Manifest], state: str, edits: tuple[Edit, ...]
) -> None:
    assert api.refusal_of_change(edited(states[state], *edits)) is None


def test_an_approval_cannot_be_changed(api: ApiObjects) -> None:
    made = api.create(approval(("spec.comment", "yes"), name="word"))
    refusal = api.refusal_of_change(edited(made, ("spec.comment", "no")))
    assert "an approval must not be changed: delete it and create another" in (refusal or "accepted")
