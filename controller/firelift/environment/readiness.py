"""What is ready: what the Firestore Admin API says now of each declared index and TTL, never what Terraform says."""

from __future__ import annotations

from firelift.api.environment.conditions import EnvironmentReason
from firelift.api.environment.status import IndexStatus, ResourceState, TtlStatus
from firelift.environment.indexes import same, text
from firelift.environment.memory import changed
from firelift.environment.observation import IndexSeen
from firelift.environment.state import EnvironmentState, ResourceSince
from firelift.environment.turn import Turn

_ID = 128


def noted(turn: Turn) -> EnvironmentState | None:
    """Remember since when each index and TTL is in its state."""
    if turn.seen.ground is None or turn.seen.ground.error:
        return None
    before = turn.state.since
    now = {f"index/{one.name}": one.state for one in _indexes(turn)} | {
        f"ttl/{one.name}": one.state for one in _ttls(turn)
    }
    since = {
        name: before[name]
        if name in before and before[name].state == state
        else ResourceSince(state=state, since=turn.now)
        for name, state in now.items()
    }
    return changed(turn.state, since=since) if since != before else None


def indexes(turn: Turn) -> tuple[IndexStatus, ...]:
    """Each declared composite index as it is now, with the time since when it is so."""
    return tuple(
        changed(one, since=one.since or _since(turn, f"index/{one.name}", one.state)) for one in _indexes(turn)
    )


def ttls(turn: Turn) -> tuple[TtlStatus, ...]:
    """Each declared TTL as it is now, with the time since when it is so."""
    return tuple(changed(one, since=one.since or _since(turn, f"ttl/{one.name}", one.state)) for one in _ttls(turn))


def indexes_ready(turn: Turn) -> bool | None:
    """Whether every declared index is READY; None when that is not known."""
    if not _known(turn):
        return None
    return not _absent(turn) and all(one.state is ResourceState.READY for one in _indexes(turn))


def ttls_active(turn: Turn) -> bool | None:
    """Whether every declared TTL is ACTIVE; None when that is not known."""
    if not _known(turn):
        return None
    return not _absent(turn) and all(one.state is ResourceState.ACTIVE for one in _ttls(turn))


def _known(turn: Turn) -> bool:
    """Whether both are: what is declared, and what is there. That nothing is known to be declared is no success."""
    ground, inputs = turn.seen.ground, turn.seen.inputs
    return ground is not None and not ground.error and not inputs.missing and not inputs.invalid


def _absent(turn: Turn) -> bool:
    return turn.seen.ground is not None and turn.seen.ground.absent


def as_applied(turn: Turn) -> bool:
    """Whether what is declared now is what was applied last."""
    applied = turn.state.applied
    return applied is not None and not applied.partial and applied.inputs == turn.seen.inputs.digest


def shortcoming(turn: Turn) -> tuple[EnvironmentReason, str] | None:
    """The first thing that keeps the ground from being ready, as reason and sentence; None when it is."""
    ground = turn.seen.ground
    if ground is None or ground.error:
        why = ground.error if ground is not None else "it was not asked yet"
        return EnvironmentReason.DATABASE_UNREACHABLE, f"the Firestore Admin API does not say what is ready: {why}"
    if ground.absent:
        name = turn.spec.database.name
        return EnvironmentReason.DATABASE_UNREACHABLE, f"there is no database {name} in {turn.spec.project.id}"
    broken = [one.name for one in _indexes(turn) if one.state is ResourceState.NEEDS_REPAIR]
    if broken:
        return (
            EnvironmentReason.INDEX_NEEDS_REPAIR,
            f"{_listed(broken)} NEEDS_REPAIR: delete the index and let it be built anew, by renaming its key",
        )
    building = [one for one in indexes(turn) if one.state is not ResourceState.READY]
    if building:
        told = ", ".join(_building(turn, one) for one in building[:5])
        return EnvironmentReason.INDEXES_BUILDING, f"{len(building)} of {len(_indexes(turn))} indexes not READY: {told}"
    inactive = [one for one in ttls(turn) if one.state is not ResourceState.ACTIVE]
    if inactive:
        told = ", ".join(f"{one.name} {one.state}" for one in inactive[:5])
        return EnvironmentReason.TTL_INACTIVE, f"{len(inactive)} of {len(_ttls(turn))} TTLs not ACTIVE: {told}"
    return None


def indexes_summary(turn: Turn) -> str:
    """Such as ``8/9 building``; empty when it is not known or none is declared."""
    every = _indexes(turn)
    if not every or indexes_ready(turn) is None:
        return ""
    ready = sum(one.state is ResourceState.READY for one in every)
    states = [one.state for one in every if one.state is not ResourceState.READY]
    worst = next((word for state, word in _WORDS.items() if state in states), "")
    return f"{ready}/{len(every)} {worst}".strip()


def ttls_summary(turn: Turn) -> str:
    """Such as ``2/2``; empty when it is not known or none is declared."""
    every = _ttls(turn)
    if not every or ttls_active(turn) is None:
        return ""
    return f"{sum(one.state is ResourceState.ACTIVE for one in every)}/{len(every)}"


_WORDS = {
    ResourceState.NEEDS_REPAIR: "needs repair",
    ResourceState.MISSING: "missing",
    ResourceState.CREATING: "building",
}


def _indexes(turn: Turn) -> tuple[IndexStatus, ...]:
    ground = turn.seen.ground
    seen = ground.indexes if ground is not None else ()
    found = []
    for name, wanted in sorted(turn.seen.inputs.composite.items()):
        one = next((each for each in seen if same(each.index, wanted)), None)
        found.append(
            IndexStatus(
                name=name,
                id=_id(one),
                collection=wanted.collection[:253],
                state=one.state if one is not None else ResourceState.MISSING,
                since=one.since if one is not None else None,
                progress=one.progress if one is not None else "",
            )
        )
    return tuple(found)


def _ttls(turn: Turn) -> tuple[TtlStatus, ...]:
    ground = turn.seen.ground
    seen = {(each.collection, each.path): each for each in ground.ttls} if ground is not None else {}
    found = []
    for name, wanted in sorted({**turn.seen.inputs.ttls, **turn.spec.ttls}.items()):
        one = seen.get((wanted.collection, wanted.path))
        found.append(
            TtlStatus(
                name=name,
                collection=wanted.collection[:253],
                path=wanted.path,
                state=one.state if one is not None else ResourceState.MISSING,
                since=one.since if one is not None else None,
                progress=one.progress if one is not None else "",
            )
        )
    return tuple(found)


def _building(turn: Turn, one: IndexStatus) -> str:
    wanted = turn.seen.inputs.composite[one.name]
    progress = f" {one.progress}" if one.progress else ""
    return f"{one.name} on {text(wanted)} {one.state}{progress} for {turn.seconds_since(one.since):.0f} s"


def _since(turn: Turn, name: str, state: str) -> object:
    record = turn.state.since.get(name)
    return record.since if record is not None and record.state == state else None


def _id(one: IndexSeen | None) -> str:
    return one.id.rpartition("/")[2][:_ID] if one is not None else ""


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004 - the same 5
