"""A 409 for something that exists: it is found among what Firestore has, and imported by the next plan."""

from __future__ import annotations

from firelift.environment.document import short
from firelift.environment.indexes import same
from firelift.environment.memory import changed, with_event
from firelift.environment.observation import Existing
from firelift.environment.state import EnvironmentState, Import
from firelift.environment.turn import Turn

COMPOSITE = 'google_firestore_index.composite["'


def adopted(turn: Turn, state: EnvironmentState, existing: tuple[Existing, ...]) -> EnvironmentState | None:
    """What was found is imported by the next plan; None when nothing new was found."""
    known = {each.address for each in state.imports} | set(state.stuck)
    found = [each for each in (_found(turn, one.address) for one in existing) if each and each.address not in known]
    if not found:
        return None
    told = ", ".join(f"{short(each.address)} as {each.id}" for each in found)
    state = with_event(state, turn.now, "Adopting", f"exists already and is taken over: {told}")
    return changed(state, imports=(*state.imports, *found))


def _found(turn: Turn, address: str) -> Import | None:
    ground, name = turn.seen.ground, short(address)
    if ground is None or not name.startswith(COMPOSITE):
        return None
    wanted = turn.seen.inputs.composite.get(name.removeprefix(COMPOSITE).removesuffix('"]'))
    ids = [seen.id for seen in ground.indexes if wanted is not None and same(seen.index, wanted)]
    return Import(address=address, id=ids[0]) if len(ids) == 1 else None
