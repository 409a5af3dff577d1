"""Index changes create first: what is new is built beside what is old, and the old goes by a plan of its own.

An index that is replaced under its key is first moved aside, to an address of its own, by a plan that leaves its
successor out: Terraform moves nothing from an address that is still declared. One that only gets another key is moved.
"""

from __future__ import annotations

from firelift.api.digest import digest
from firelift.api.environment.indexes import CompositeIndex
from firelift.api.environment.status import PlanPurpose
from firelift.environment import readiness
from firelift.environment.indexes import same
from firelift.environment.memory import changed, with_event
from firelift.environment.state import EnvironmentState, GoneIndex, KeptIndex, Move, PlanRecord
from firelift.environment.turn import Turn


def staged(turn: Turn, plan: PlanRecord) -> EnvironmentState | None:
    """Plan again, when the plan takes indexes before all declared ones can serve, or builds what was to be kept."""
    return _without_vanished(turn, plan) or _kept(turn, plan)


def _without_vanished(turn: Turn, plan: PlanRecord) -> EnvironmentState | None:
    """An old index that somebody else has deleted meanwhile is not built again, only to go."""
    vanished = {each.key for each in plan.kept} & set(plan.new_indexes) - set(turn.seen.inputs.composite)
    if not vanished:
        return None
    kept = tuple(each for each in plan.kept if each.key not in vanished)
    return changed(turn.state, plan=None, kept=kept, moves=(), staged=plan.inputs)


def _kept(turn: Turn, plan: PlanRecord) -> EnvironmentState | None:
    gone = [each for each in plan.gone_indexes if each.composite and each.index is not None]
    if not gone or plan.purpose is PlanPurpose.DESTROY or (not plan.new_indexes and readiness.indexes_ready(turn)):
        return None
    replaced = {each.key for each in gone if each.replaced}
    kept, moves = list(plan.kept), list(plan.moves)
    for each in gone:
        target = _renamed(turn, plan, each, replaced)
        if target:
            moves.append(Move(source=each.full_address, target=_sibling(each, target)))
        elif each.index is not None:
            key = _aside(each, each.index)
            kept.append(KeptIndex(key=key, index=each.index))
            moves.extend([Move(source=each.full_address, target=_sibling(each, key))] if each.replaced else [])
    if (known := {each.key for each in plan.kept}) & {each.key for each in kept[len(plan.kept) :]} or (
        len(kept) == len(known) and len(moves) == len(plan.moves)
    ):
        return None
    told = ", ".join(sorted(each.key for each in gone))
    state = with_event(turn.state, turn.now, "CreateFirst", f"keeps {told} until every declared index is READY")
    return changed(state, plan=None, kept=tuple(kept), moves=tuple(moves), staged=plan.inputs)


def due(turn: Turn) -> bool:
    """Whether old indexes wait that may go now."""
    applied = turn.state.applied
    return applied is not None and bool(applied.kept) and bool(readiness.indexes_ready(turn))


def waiting(turn: Turn) -> str:
    """The old indexes that still serve, as a sentence; empty when there are none."""
    applied = turn.state.applied
    if applied is None or not applied.kept:
        return ""
    return f"old indexes stay until every declared one is READY: {', '.join(each.key for each in applied.kept)}"


def still_old(turn: Turn, kept: tuple[KeptIndex, ...]) -> tuple[KeptIndex, ...]:
    """Those of the kept indexes that the spec does not declare again, under their key or as they are."""
    wanted = turn.seen.inputs.composite
    return tuple(
        each for each in kept if each.key not in wanted and not any(same(each.index, one) for one in wanted.values())
    )


def _renamed(turn: Turn, plan: PlanRecord, gone: GoneIndex, replaced: set[str]) -> str:
    """The new key of an index that only got another one; empty when it really goes."""
    if gone.index is None:
        return ""
    wanted = turn.seen.inputs.composite
    keys = [key for key in plan.new_indexes if key in wanted and key not in replaced]
    return next((key for key in keys if same(wanted[key], gone.index)), "")


def _aside(gone: GoneIndex, index: CompositeIndex) -> str:
    """The key under which it waits: its own, unless another one takes that."""
    return f"{gone.key}.old-{digest(index).removeprefix('sha256:')[:8]}" if gone.replaced else gone.key


def _sibling(gone: GoneIndex, key: str) -> str:
    return gone.full_address.removesuffix(f'["{gone.key}"]') + f'["{key}"]'
