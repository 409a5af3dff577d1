"""Why an object is as it is, reason by reason: what that means, what lets it go on, and who does that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from firelift.api.conditions import Reason
from firelift.api.environment.conditions import EnvironmentReason
from firelift.cli.views import NOT_OBSERVED


class Mover(StrEnum):
    """Who or what leads out of a state."""

    PERSON = "a person"
    TIME = "time"
    WORK = "its own work"
    OTHERS = "others"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Explanation:
    """`means` and `goes_on` are sentences without a full stop; `goes_on` begins with "when"."""

    means: str
    goes_on: str
    mover: Mover


_UNSEEN = Explanation(
    "the operator has not looked at this object yet",
    "when the operator runs, leads and may read this namespace: `kubectl get pods -n firelift-system`",
    Mover.OTHERS,
)

ROLLOUTS: dict[str, Explanation] = {
    NOT_OBSERVED: _UNSEEN,
    Reason.DATABASE_NOT_ALLOWED: Explanation(
        "its namespace may not touch the database, so nothing goes forward there; a way back that has begun goes on",
        "when whoever may edit the Namespace adds the database to its annotation firelift.dev/databases",
        Mover.PERSON,
    ),
    Reason.BUCKET_NOT_ALLOWED: Explanation(
        "its namespace may not touch a bucket that a step exports to or restores from, so nothing goes forward",
        "when the bucket is added to the Namespace's annotation firelift.dev/buckets, or the step names another",
        Mover.PERSON,
    ),
    Reason.DATABASE_DIFFERS: Explanation(
        "the database is not, or does not say that it is, the one that `spec.database.uid` declares: nothing is "
        "written to another one, and nothing more is begun where it does not say",
        "when the database answers the declared uid: the operator may ask (`roles/datastore.viewer`) and asks the "
        "right place; a database that was made anew is another one, and needs a new rollout that declares it",
        Mover.PERSON,
    ),
    Reason.LEDGER_UNREADABLE: Explanation(
        "the ledger was written in a format that this operator cannot read, and nothing is decided on half of it",
        "when the operator has the version that wrote it",
        Mover.PERSON,
    ),
    Reason.LEDGER_LOST: Explanation(
        "the rollout has begun, and its ledger, which is its memory and its way back, is not in the database any more",
        "when the ledger is brought back from a backup; or the object is deleted and made again, and begins anew",
        Mover.PERSON,
    ),
    Reason.LEDGER_OWNED_BY_ANOTHER: Explanation(
        "the ledger of this name belongs to another object, and two must never lead one",
        "when somebody who is sure that the other one has ended approves Adopt",
        Mover.PERSON,
    ),
    Reason.LEDGER_FROM_ANOTHER_DATABASE: Explanation(
        "the ledger came along with a restored or cloned database: what it says was done was done elsewhere",
        "when somebody who knows that this database is the one to go on with approves Adopt",
        Mover.PERSON,
    ),
    Reason.INVALID_SPEC: Explanation(
        "the spec contradicts itself or what it names, and nothing is done by a spec that is not understood",
        "when the spec is corrected; nothing needs to be retried",
        Mover.PERSON,
    ),
    Reason.PLAN_DIFFERS: Explanation(
        "a rollout that it requires has completed another plan, so nothing has shown that this one works",
        "when this one is made the same, or requires another rollout that has completed what it is to do",
        Mover.PERSON,
    ),
    Reason.PREFLIGHT_FAILED: Explanation(
        "a check before the first write has failed, and nothing was written",
        "when what the check names is corrected: an edit of the spec or a higher attempt checks again",
        Mover.PERSON,
    ),
    Reason.REVERT_FAILED: Explanation(
        "the way back could not be finished or not be verified; what was taken back stays so",
        "when its cause is gone and the attempt rises, or when an approved Skip keeps the step as it is",
        Mover.PERSON,
    ),
    Reason.GATE_FAILED: Explanation(
        "a gate has measured more than its limit allows, and its policy is to pause",
        "when the cause is gone and the attempt rises; or the gate is overridden; or it is reverted",
        Mover.PERSON,
    ),
    Reason.GATE_WITHOUT_VERDICT: Explanation(
        "a gate has had no data for too long, and no data is never success",
        "when the metric speaks again and the attempt rises; or the gate is overridden; or it is reverted",
        Mover.PERSON,
    ),
    Reason.STEP_FAILED: Explanation(
        "a step has failed, and its policy is to pause",
        "when the cause is gone and the attempt rises; or an approved Skip passes the step over; or it is reverted",
        Mover.PERSON,
    ),
    Reason.STEP_TIMED_OUT: Explanation(
        "a step took longer than its timeoutSeconds",
        "when the attempt rises, which goes on at that step; or an approved Skip passes it over; or it is reverted",
        Mover.PERSON,
    ),
    Reason.NO_PROGRESS: Explanation(
        "no document moved for progressDeadlineSeconds: its workers do not start, or cannot write",
        "when the workers can work and the attempt rises; see their logs",
        Mover.PERSON,
    ),
    Reason.REJECTED: Explanation(
        "somebody has rejected what an approval was asked for",
        "when the attempt rises, which asks again; or it is reverted",
        Mover.PERSON,
    ),
    Reason.REVERT_TOO_LONG: Explanation(
        "the next phase could not be taken back within maxRevertSeconds, so it does not start",
        "when the limit is raised or work gets faster, or when the gate max-revert-seconds is overridden",
        Mover.PERSON,
    ),
    Reason.ABORTED: Explanation(
        "it was aborted: workers are stopped, data and flags are as they were at that moment",
        "when it is reverted, or when the intent is removed and the attempt rises",
        Mover.PERSON,
    ),
    Reason.REVERTED_WITH_CONFLICTS: Explanation(
        "it was taken back and verified, but for documents that the app has changed since, which were left whole",
        "when the cause is gone and the attempt rises",
        Mover.PERSON,
    ),
    Reason.REVERTED: Explanation(
        "it was taken back and verified",
        "when the cause is gone and the attempt rises",
        Mover.PERSON,
    ),
    Reason.COMPLETED: Explanation("all that was asked for is done", "when a new rollout is made", Mover.NOBODY),
    Reason.SUSPENDED: Explanation(
        "spec.suspend holds it: workers idle, and the clock of soaks stands still",
        "when it is resumed",
        Mover.PERSON,
    ),
    Reason.AWAITING_APPROVAL: Explanation(
        "it asks for approvals of what it is about to do",
        "when as many different people as the step asks for have approved the digest that it shows",
        Mover.PERSON,
    ),
    Reason.DATABASE_UNREACHABLE: Explanation(
        "the database does not answer, and nothing is decided blindly; what was begun is neither lost nor reverted",
        "when the database answers the operator again",
        Mover.OTHERS,
    ),
    Reason.WAITING_FOR_LOCK: Explanation(
        "another rollout works on the same collection group, and one writes at a time",
        "when that one has ended or given its lock back",
        Mover.OTHERS,
    ),
    Reason.WAITING_FOR_INDEX: Explanation(
        "a query of the next steps needs an index that is not READY",
        "when Firestore has built it; large collections take hours",
        Mover.OTHERS,
    ),
    Reason.WAITING_FOR_ENVIRONMENT: Explanation(
        "the FirestoreEnvironment that it requires is not Ready",
        "when that one is Ready; ask it why it is not",
        Mover.OTHERS,
    ),
    Reason.WAITING_FOR_BACKUP: Explanation(
        "no complete backup or export is young and large enough",
        "when there is one; make it, or wait for the schedule",
        Mover.OTHERS,
    ),
    Reason.BACKING_UP: Explanation(
        "Firestore exports the database, and nothing is written before that is complete",
        "when the export is complete and large enough",
        Mover.WORK,
    ),
    Reason.RESTORING: Explanation(
        "Firestore imports what people have named; an import deletes nothing, and no revert takes it back",
        "when the import is complete",
        Mover.WORK,
    ),
    Reason.WAITING_FOR_ROLLOUT: Explanation(
        "a rollout that it requires has not completed the same yet, or not for long enough",
        "when that one is Completed and has been for soakedSeconds; ask it how far it is",
        Mover.OTHERS,
    ),
    Reason.REVERTING: Explanation(
        "it walks its journal back under preconditions, and verifies before it says Reverted",
        "when the last step down to its goal is undone and verified",
        Mover.WORK,
    ),
    Reason.SETTING_FLAGS: Explanation(
        "flags are set, and the app has propagationSeconds to hear of them", "when that time has passed", Mover.TIME
    ),
    Reason.PLANNING: Explanation(
        "the way is checked and what lies on it is counted; nothing is written",
        "when the plan is made, usually in seconds",
        Mover.WORK,
    ),
    Reason.DRY_RUNNING: Explanation(
        "every source document is transformed, and nothing but a report is written",
        "when all of them have been looked at",
        Mover.WORK,
    ),
    Reason.VALIDATING: Explanation(
        "every source document is looked at, and nothing is written",
        "when all of them have been looked at",
        Mover.WORK,
    ),
    Reason.MIGRATING: Explanation(
        "documents of the phase's cohort are moved", "when all of them have moved", Mover.WORK
    ),
    Reason.SWEEPING: Explanation(
        "late-comers of the cohorts so far are moved", "when a pass finds nothing more to write", Mover.WORK
    ),
    Reason.DELETING: Explanation(
        "sources whose copies are verified are deleted, each together with its check",
        "when all of them are gone",
        Mover.WORK,
    ),
    Reason.VERIFYING: Explanation(
        "what was moved is compared with what it was made from", "when the sample has been compared", Mover.WORK
    ),
    Reason.SOAKING: Explanation(
        "it stands still under its gates", "when the time is over and nearly all intervals have verdicts", Mover.TIME
    ),
    Reason.WAITING_FOR_EVIDENCE: Explanation(
        "the time is over, but a gate lacks verdicts, and no data is never success",
        "when the gate that it names has been judged often enough; see whether its metric has data",
        Mover.OTHERS,
    ),
    Reason.RELEASING: Explanation(
        "it is being let go: workers leave, then locks and ledger are given back",
        "when the workers have left",
        Mover.WORK,
    ),
    Reason.STARTING: Explanation("it begins", "at the next turn", Mover.WORK),
}

ENVIRONMENTS: dict[str, Explanation] = {
    NOT_OBSERVED: _UNSEEN,
    EnvironmentReason.DATABASE_NOT_ALLOWED: Explanation(
        "its namespace may not touch the database, so nothing is planned, applied, destroyed or looked at",
        "when whoever may edit the Namespace adds the database to its annotation firelift.dev/databases",
        Mover.PERSON,
    ),
    EnvironmentReason.BUCKET_NOT_ALLOWED: Explanation(
        "its namespace may not touch the bucket of Terraform's state, so nothing is planned, applied or destroyed",
        "when whoever may edit the Namespace adds the bucket to its annotation firelift.dev/buckets",
        Mover.PERSON,
    ),
    EnvironmentReason.INVALID_SPEC: Explanation(
        "the spec or a ConfigMap that it names is refused by a rule, and nothing is planned of it",
        "when that is corrected; nothing needs to be retried",
        Mover.PERSON,
    ),
    EnvironmentReason.UNSAFE_TTL: Explanation(
        "a TTL is on a field that holds no timestamps, so it would never delete, or delete by mistake",
        "when the documents or the TTL's path are corrected as the message says",
        Mover.PERSON,
    ),
    EnvironmentReason.PLAN_FAILED: Explanation(
        "Terraform could not plan; nothing was changed",
        "when it is tried again and succeeds; at once with a higher attempt",
        Mover.PERSON,
    ),
    EnvironmentReason.APPLY_FAILED: Explanation(
        "Terraform could not apply all of the plan; the state knows what was done",
        "when it is tried again and succeeds; at once with a higher attempt",
        Mover.PERSON,
    ),
    EnvironmentReason.STATE_UNSAVED: Explanation(
        "an apply has changed things and could not write its state, so Terraform would make them again",
        "at a higher attempt, once the state that the message names was pushed, or you do without it",
        Mover.PERSON,
    ),
    EnvironmentReason.INDEX_NEEDS_REPAIR: Explanation(
        "Firestore could not build an index, mostly because of the documents in it",
        "when the index is deleted and made anew, or its documents are corrected",
        Mover.PERSON,
    ),
    EnvironmentReason.REJECTED: Explanation(
        "somebody has rejected the plan", "when the spec changes, or the attempt rises and asks again", Mover.PERSON
    ),
    EnvironmentReason.SUSPENDED: Explanation(
        "spec.suspend holds it: nothing is planned, applied or repaired, readiness is still observed",
        "when it is resumed",
        Mover.PERSON,
    ),
    EnvironmentReason.AWAITING_APPROVAL: Explanation(
        "a plan waits for its approval",
        "when the digest that it shows is approved, what can lose data by name",
        Mover.PERSON,
    ),
    EnvironmentReason.INPUT_MISSING: Explanation(
        "a ConfigMap or Secret that it names is not there", "when that is there", Mover.OTHERS
    ),
    EnvironmentReason.STATE_LOCKED: Explanation(
        "another run holds the lock of Terraform's state",
        "when that run ends; a lock of somebody who is gone is released as the message says",
        Mover.OTHERS,
    ),
    EnvironmentReason.WAITING_FOR_ROLLOUT: Explanation(
        "a rollout that requires it is mid-phase, and its ground is not changed under it",
        "when that phase has ended, or an approval says duringRollouts",
        Mover.OTHERS,
    ),
    EnvironmentReason.DATABASE_UNREACHABLE: Explanation(
        "the Firestore Admin API does not answer, and nothing measured is nothing ready",
        "when it answers the operator again",
        Mover.OTHERS,
    ),
    EnvironmentReason.DESTROYING: Explanation("it is being destroyed", "when Terraform is done", Mover.WORK),
    EnvironmentReason.APPLYING: Explanation("the saved plan is applied", "when Terraform is done", Mover.WORK),
    EnvironmentReason.PLANNING: Explanation("Terraform plans; nothing is changed", "when the plan is made", Mover.WORK),
    EnvironmentReason.INDEXES_BUILDING: Explanation(
        "all is applied, and an index is still built", "when Firestore has built it; that can take hours", Mover.OTHERS
    ),
    EnvironmentReason.TTL_INACTIVE: Explanation(
        "all is applied, and a TTL is not active yet", "when Firestore has activated it", Mover.OTHERS
    ),
    EnvironmentReason.READY: Explanation(
        "all is as declared", "when the spec changes, or somebody changes the ground", Mover.NOBODY
    ),
}
