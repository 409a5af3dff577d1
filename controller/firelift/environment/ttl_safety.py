"""Whether a new TTL is safe: its field holds timestamps, and what it deletes at once is known and named."""

from __future__ import annotations

from firelift.environment.memory import changed
from firelift.environment.observation import FieldSeen, FieldWanted
from firelift.environment.state import EnvironmentState, FieldVerdict, NewTtl, PlanRecord
from firelift.environment.turn import Turn

FRESH = 900
"""Seconds for which a look at the documents counts; time makes documents expire."""

TIMESTAMP = "timestamp"


def fields_wanted(turn: Turn) -> tuple[FieldWanted, ...]:
    """The fields to look at before the plan is judged."""
    plan = turn.state.plan
    stale = [ttl for ttl in plan.new_ttls if not _fresh(turn, plan, ttl)] if plan is not None else []
    return tuple(FieldWanted(ttl.collection, ttl.path) for ttl in stale)


def looked(turn: Turn) -> EnvironmentState | None:
    """Take note of what the fields of new TTLs hold."""
    plan = turn.state.plan
    if plan is None:
        return None
    new = {
        ttl.address: verdict(ttl, turn.seen.fields[FieldWanted(ttl.collection, ttl.path)], turn)
        for ttl in plan.new_ttls
        if FieldWanted(ttl.collection, ttl.path) in turn.seen.fields and not _fresh(turn, plan, ttl)
    }
    if not new:
        return None
    kept = (each for each in plan.verdicts if each.address not in new)
    return changed(turn.state, plan=changed(plan, verdicts=(*kept, *new.values())))


def unseen(turn: Turn, plan: PlanRecord) -> list[NewTtl]:
    """New TTLs whose documents nobody has looked at lately."""
    return [ttl for ttl in plan.new_ttls if not _fresh(turn, plan, ttl)]


def verdict(ttl: NewTtl, seen: FieldSeen, turn: Turn) -> FieldVerdict:
    """What the documents say of a TTL on this field."""
    return FieldVerdict(address=ttl.address, time=turn.now, unsafe=_unsafe(ttl, seen), loses=_loses(ttl, seen))


def _unsafe(ttl: NewTtl, seen: FieldSeen) -> str:
    others = {kind: count for kind, count in sorted(seen.types.items()) if kind != TIMESTAMP and count}
    if not others:
        return ""
    counts = " and ".join(f"{count:,} {kind}" for kind, count in others.items())
    example = f", such as {seen.examples[0]}" if seen.examples else ""
    return (
        f"a TTL on {ttl.collection}.{ttl.path} would never delete what holds no timestamp there: {counts} of "
        f"{sum(seen.types.values()):,} documents{' looked at' if seen.sampled else ''}{example}; write the time as a "
        "timestamp into a field of its own, by a rollout with `transform.set`, and put the TTL on that"
    )


def _loses(ttl: NewTtl, seen: FieldSeen) -> str:
    name = f"a new TTL on {ttl.collection}.{ttl.path}"
    if seen.error:
        return f"{name} may delete documents at once; they could not be counted: {seen.error}"
    if seen.expired:
        least = "at least " if seen.sampled else ""
        return f"{name} deletes {least}{seen.expired:,} documents at once that are past it"
    if seen.sampled:
        return f"{name} may delete documents at once: none of those looked at is past it, but not all were looked at"
    return ""


def _fresh(turn: Turn, plan: PlanRecord, ttl: NewTtl) -> bool:
    found = next((each for each in plan.verdicts if each.address == ttl.address), None)
    return found is not None and turn.seconds_since(found.time) < FRESH
