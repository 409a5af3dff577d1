"""An environment as on-call reads it: summary, plan, what is ready, drift."""

from __future__ import annotations

from datetime import datetime

from firelift.api.environment.status import EnvironmentPlan, IndexStatus, PlannedChange, ResourceState, TtlStatus
from firelift.cli.common_sections import UNSEEN, message, state
from firelift.cli.sections import Row, Section, Tone, unknown
from firelift.cli.times import between, moment
from firelift.cli.views import EnvironmentView

_GOOD = {ResourceState.READY, ResourceState.ACTIVE}
_BAD = {ResourceState.NEEDS_REPAIR, ResourceState.MISSING}


def summary(view: EnvironmentView, now: datetime) -> Section:
    """What it is and where it stands."""
    status = view.status
    spec = view.spec
    database = f"{spec.project.id}/{spec.database.name}" if spec else unknown("this plugin cannot read the spec")
    applied = status.applied
    rows = [
        Row("Environment", f"{view.namespace}/{view.name}{', being deleted' if view.deleting else ''}"),
        Row("Database", database),
        state(view, now),
        message(view),
        Row("Applied", f"{_when(applied.time, now)}, {applied.digest}" if applied else _absent(view, "nothing yet")),
        *([Row("Lock", f"{status.lock.holder}: {status.lock.who}, {status.lock.operation}")] if status.lock else []),
        *_failure(view, now),
    ]
    return Section("Summary", tuple(rows))


def plan(view: EnvironmentView, *, most: int = 10) -> Section:
    """What waits to be changed, what can lose data first."""
    found = view.status.plan
    if found is None:
        return Section("Plan", (Row("", _absent(view, "none waits")),))
    head = Row("", f"{found.purpose} {view.status.plan_summary}, {found.digest}")
    return Section("Plan", (head, *map(_change, found.changes[:most]), *_more(found, most)))


def readiness(view: EnvironmentView, now: datetime) -> Section:
    """Each index and TTL as the Firestore Admin API has it now."""
    found: list[IndexStatus | TtlStatus] = [*view.status.indexes, *view.status.ttls]
    if not found:
        return Section("Indexes and TTLs", (Row("", _none_ready(view)),))
    return Section("Indexes and TTLs", tuple(_resource(each, now) for each in found))


def drift(view: EnvironmentView, now: datetime) -> Section:
    """What is no longer as it was applied, and since when."""
    found = view.status.drift
    if found is None or found.checked_time is None:
        return Section("Drift", (Row("", unknown("nobody has looked for it yet"), Tone.WAIT),))
    looked = f"looked at {moment(found.checked_time)}, {between(found.checked_time, now)} ago"
    if not found.changes:
        return Section("Drift", (Row("", f"none, {looked}", Tone.GOOD),))
    rows = [
        Row(change.address, f"{change.sentence or change.action}, since {_when(change.since, now)}", Tone.BAD)
        for change in found.changes
    ]
    return Section("Drift", (*rows, Row("", looked, Tone.DIM)))


def _resource(each: IndexStatus | TtlStatus, now: datetime) -> Row:
    kind = "TTL" if isinstance(each, TtlStatus) else "index"
    progress = f" {each.progress}" if each.progress else ""
    since = f" for {between(each.since, now)}" if each.since else ""
    tone = Tone.GOOD if each.state in _GOOD else Tone.BAD if each.state in _BAD else Tone.WAIT
    return Row(f"{kind} {each.name}", f"{each.state}{progress}{since}, on {each.collection}", tone)


def _none_ready(view: EnvironmentView) -> str:
    spec = view.spec
    declared = spec is None or spec.indexes.composite or spec.indexes.from_config_map or spec.ttls
    return _absent(
        view, unknown("the Firestore Admin API was not asked or did not answer") if declared else "none are declared"
    )


def _failure(view: EnvironmentView, now: datetime) -> list[Row]:
    found = view.status.failure
    if found is None:
        return []
    again = f"tried again at {moment(found.retry_time)}" if found.retry_time else "not tried again by itself"
    since = _when(found.time, now)
    text = f"the last {found.purpose.lower()} failed {since}, {found.count:,} in a row, {again}: {found.message}"
    return [Row("Failure", text, Tone.BAD)]


def _absent(view: EnvironmentView, nothing: str) -> str:
    return nothing if view.observed else UNSEEN


def _when(time: datetime | None, now: datetime) -> str:
    return f"{moment(time)} ({between(time, now)} ago)" if time is not None else unknown("no time was told")


def _change(change: PlannedChange) -> Row:
    said = f": {change.sentence}" if change.sentence else ""
    loses = "; can lose data" if change.can_lose_data else ""
    tone = Tone.BAD if change.can_lose_data else Tone.PLAIN
    return Row("", f"{change.action} {change.address}{said}{loses}", tone)


def _more(found: EnvironmentPlan, most: int) -> list[Row]:
    left = found.add + found.change + found.destroy - most
    return [Row("", f"and {left:,} more; all of it is in ConfigMap {found.config_map}", Tone.DIM)] if left > 0 else []
