"""Why something is as it is: its reason in words, the facts behind it, what lets it go on, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from firelift.api.environment.status import IndexStatus, ResourceState, TtlStatus
from firelift.api.plan import CheckVerdict
from firelift.cli.common_sections import actions, message, state
from firelift.cli.environment_actions import of_environment
from firelift.cli.explanations import ENVIRONMENTS, ROLLOUTS, Explanation, Mover
from firelift.cli.rollout_actions import of_rollout
from firelift.cli.sections import Row, Section, Tone, unknown
from firelift.cli.times import between
from firelift.cli.views import NOT_OBSERVED, AnyView, EnvironmentView, RolloutView

_NEWER = Explanation(
    unknown("this version of the plugin does not know the reason"),
    unknown("update the plugin, or ask its message"),
    Mover.PERSON,
)
_MOST = 5


def explanation(view: AnyView, now: datetime, flags: Sequence[str] = ()) -> tuple[Section, ...]:
    """Two sections: why, and what can be done."""
    known = ROLLOUTS if isinstance(view, RolloutView) else ENVIRONMENTS
    found = known.get(view.status.reason or NOT_OBSERVED, _NEWER)
    facts = _of_rollout(view, now) if isinstance(view, RolloutView) else _of_environment(view)
    rows = (
        state(view, now),
        Row("Meaning", found.means),
        message(view),
        *facts,
        Row("Goes on", found.goes_on),
        Row("Moved by", found.mover, Tone.BAD if found.mover is Mover.PERSON else Tone.PLAIN),
    )
    offered = of_rollout(view, now, flags) if isinstance(view, RolloutView) else of_environment(view, flags)
    return (Section(f"{view.kind.kind} {view.namespace}/{view.name}", rows), actions(offered))


def _of_rollout(view: RolloutView, now: datetime) -> list[Row]:
    """What the reason rests on, as far as the status tells."""
    status = view.status
    checks = [each for each in status.preflight if each.verdict is CheckVerdict.FAIL]
    rows = [Row(f"Check {each.check}", each.message, Tone.BAD) for each in checks[:_MOST]]
    for gate in status.gates:
        if gate.verdict not in {"Pass", "Pending"}:
            value = gate.value or "no value"
            rows.append(
                Row(f"Gate {gate.name}", f"{gate.verdict}: {gate.message or value}, limit {gate.limit}", Tone.BAD)
            )
    if status.approval is not None and status.approval.required:
        given = ", ".join(status.approval.given) or "nobody yet"
        asked = status.approval.requested_time
        since = f", asked for {between(asked, now)} ago" if asked is not None else ""
        rows += [Row("Digest", f"{status.approval.digest}{since}"), Row("Approved by", given)]
    if status.waiting_for is not None:
        place = f", place {status.waiting_for.position:,} in its queue" if status.waiting_for.position else ""
        rows.append(Row("Waits for", f"{status.waiting_for.name}{place}"))
    return rows


def _of_environment(view: EnvironmentView) -> list[Row]:
    status = view.status
    rows = []
    if status.plan is not None:
        rows.append(Row("Plan", f"{status.plan_summary}, {status.plan.digest}"))
        losing = [each for each in status.plan.changes if each.can_lose_data]
        rows += [Row("Can lose data", f"{each.address}: {each.sentence}", Tone.BAD) for each in losing[:_MOST]]
    found: list[IndexStatus | TtlStatus] = [*status.indexes, *status.ttls]
    waiting = [each for each in found if each.state not in {ResourceState.READY, ResourceState.ACTIVE}]
    rows += [Row(each.name, f"{each.state} {each.progress}".strip(), Tone.WAIT) for each in waiting[:_MOST]]
    if status.lock is not None:
        rows.append(Row("Lock", f"{status.lock.holder}: {status.lock.who}"))
    return rows
