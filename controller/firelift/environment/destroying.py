"""Deletion: what is retained is let go at once, what is destroyed is planned and approved, from what was kept of it."""

from __future__ import annotations

from dataclasses import replace

from firelift.api.environment.conditions import EnvironmentReason
from firelift.api.environment.status import PlanPurpose
from firelift.api.environment.terraform import ApplyMode, EnvironmentDeletion
from firelift.environment import judging, planning
from firelift.environment.intents import DropMemory
from firelift.environment.memory import MESSAGE, changed
from firelift.environment.planning import Want
from firelift.environment.render import FIRESTORE
from firelift.environment.state import Variant
from firelift.environment.turn import Outcome, Settled, Turn

PROTECTED = (f"{FIRESTORE}.google_firestore_database.this", "module.environment.module.project.google_project.this")
"""What refuses to be deleted. Nothing else is touched on the way: a ground that has drifted is not mended first."""


def deleted(turn: Turn) -> Outcome | None:
    """Let go, or destroy in two plans: first the protection goes off, then everything goes."""
    if not turn.environment.deleting:
        return None
    if over(turn):
        what = "everything was destroyed" if turn.state.destroyed else "what it has made stays"
        return Settled(EnvironmentReason.DESTROYING, what, (DropMemory(state_too=turn.state.destroyed),))
    outcome = _destroyed(turn)
    return _with_way_out(turn, outcome) if isinstance(outcome, Settled) else outcome


def way_out(namespace: str, name: str) -> str:
    """How to let go of an object that is to be destroyed and cannot be, as the end of a sentence."""
    # Whoever may edit it may take it: to change what applies by itself asks for the right to approve.
    kept = f'{{"apply":"{ApplyMode.MANUAL}","deletionPolicy":"{EnvironmentDeletion.RETAIN}"}}'
    patch = f'{{"spec":{{"terraform":{kept}}}}}'
    return (
        f"to let go of it and destroy nothing: kubectl patch firestoreenvironment {name} -n {namespace} --type merge"
        f" -p '{patch}' (the one way out of a namespace that is being deleted: no approval can be made there)"
    )


def _with_way_out(turn: Turn, settled: Settled) -> Settled:
    """Whatever it waits for may never come: a person must read how it ends."""
    out = way_out(turn.environment.namespace, turn.environment.name)
    return replace(settled, message=f"{settled.message[: MESSAGE - len(out) - 2]}; {out}")


def _destroyed(turn: Turn) -> Outcome | None:
    if turn.seen.inputs.unidentified:
        return _powerless(turn)
    plan = turn.state.plan
    if plan is not None and plan.purpose is not PlanPurpose.DESTROY:
        return changed(turn.state, plan=None, failure=None, rejected="", rejected_by="", imports=(), kept=(), moves=())
    if plan is not None:
        return judging.judge(turn, plan)
    if turn.state.unprotected:
        want = Want(PlanPurpose.DESTROY, Variant.LAST_APPLIED)
    else:
        want = Want(PlanPurpose.DESTROY, Variant.UNPROTECTED, targets=PROTECTED)
    return planning.begin(turn, want)


def _powerless(turn: Turn) -> Settled:
    inputs = turn.seen.inputs
    reason = EnvironmentReason.INPUT_MISSING if inputs.missing else EnvironmentReason.INVALID_SPEC
    return Settled(reason, f"nothing can be destroyed: {inputs.unidentified}")


def over(turn: Turn) -> bool:
    """Whether a deleted object is done with."""
    if not turn.environment.deleting or turn.state.run is not None:
        return False
    if turn.spec.terraform.deletion_policy is EnvironmentDeletion.RETAIN:
        return True
    return turn.state.destroyed or not (turn.state.touched or turn.seen.made)
