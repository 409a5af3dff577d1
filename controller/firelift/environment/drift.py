"""Drift: what differs from what was applied, of which kind it is, and since when."""

from __future__ import annotations

from datetime import datetime

from firelift.api.environment.status import Action, PlanPurpose
from firelift.environment.memory import changed, with_event
from firelift.environment.state import ChangeRecord, DriftRecord, EnvironmentState, PlanRecord


def looked(state: EnvironmentState, now: datetime, plan: PlanRecord) -> EnvironmentState:
    """Take note of a look at what was applied: what is found again keeps its age, what is gone is forgotten."""
    if plan.purpose is not PlanPurpose.DRIFT:
        return state if plan.purpose is PlanPurpose.DESTROY or not plan.empty else changed(state, drift=(), looked=now)
    since = {each.address: each.since for each in state.drift}
    found = tuple(
        DriftRecord(
            address=change.address,
            action=change.action,
            since=since.get(change.address, now),
            sentence=kind(change),
        )
        for change in plan.changes
    )
    state = changed(state, drift=found, looked=now)
    fresh = [each.address for each in found if each.address not in since]
    if not fresh:
        return state
    return with_event(state, now, "Drifted", f"{len(fresh)} no longer as applied: {', '.join(fresh)}")


def kind(change: ChangeRecord) -> str:
    """What has happened to the resource, as far as a plan can tell."""
    resource, gone = change.address.partition(".")[0], change.action is Action.CREATE
    if resource == "google_firestore_field" and gone:
        return (
            "its override or TTL was taken away; `firebase deploy --only firestore` does that to those that its file "
            "does not name"
        )
    if resource.endswith("_iam_member"):
        return "a grant was taken away" if gone else "a grant was changed"
    if gone:
        return "it was deleted outside of Terraform"
    if change.action is Action.REPLACE:
        return "it was made anew otherwise outside of Terraform"
    return f"it was changed outside of Terraform: {change.sentence}" if change.sentence else "it was changed outside"
