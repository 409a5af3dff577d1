"""Gates on the ledger: each has something to say from the step on in which its counts are made."""

from __future__ import annotations

from firelift.api.gates import GateSpec, LedgerMetric
from firelift.api.rollout import PhaseSpec

COMMITTING = ("migrate", "sweep", "verify", "delete")
"""The verbs whose runs have a journal."""

_VERBS = {
    LedgerMetric.FAILURE_RATIO: ("migrate", "sweep"),
    LedgerMetric.DEAD_LETTERS: ("migrate", "sweep"),
    LedgerMetric.MISMATCH_RATIO: ("verify",),
}


def speaks(gate: GateSpec, phase: PhaseSpec, step_index: int) -> bool:
    """Whether the gate has anything to say of this step; one on a metric of the app always has.

    Counts of the ledger stand from the step on that makes them; latencies are those of the step that commits.
    """
    if gate.ledger is None:
        return True
    verbs = [step.verb for step in phase.steps[: step_index + 1]]
    if gate.ledger.metric is LedgerMetric.COMMIT_LATENCY_P95:
        return verbs[-1] in COMMITTING
    return any(verb in verbs for verb in _VERBS[gate.ledger.metric])
