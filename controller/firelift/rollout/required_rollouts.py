"""`spec.requires.rollouts`: the same must have been completed elsewhere before, and stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from firelift.api.conditions import Reason
from firelift.api.requires import RequiredRollout, Same
from firelift.api.rollout import KIND, RolloutMode
from firelift.api.status import PromotionStatus
from firelift.rollout.ground import RolloutKey, RolloutSeen
from firelift.rollout.observation import Rollout
from firelift.rollout.plan_inputs import image
from firelift.rollout.promotion import IMAGE, differing, migrations_digest, promotion
from firelift.rollout.state import Mode
from firelift.rollout.turn import Turn
from firelift.rollout.unmet import Unmet

AGAIN = timedelta(minutes=1)
"""How often a required rollout is looked at, should nothing wake this one: its namespace may not be watched."""

_NAMED = 4
"""How many parts of a plan a sentence names."""


def rollouts_wanted(turn: Turn) -> tuple[RolloutKey, ...]:
    """Those that the next decision speaks of. On the way back there are none: it waits for nobody."""
    asked = turn.state.mode is Mode.FORWARD and turn.spec.mode is RolloutMode.MIGRATE
    return tuple(dict.fromkeys(required_by(turn.rollout))) if asked else ()


def required_by(rollout: Rollout) -> Iterator[RolloutKey]:
    """The places of the rollouts that one requires."""
    for each in rollout.spec.requires.rollouts:
        if each.name is not None:
            yield _key(rollout, each)


def unmet_rollouts(turn: Turn) -> list[Unmet]:
    """What keeps this rollout from resting on those that it requires."""
    required = turn.spec.requires.rollouts
    mine = promotion(turn) if required else None
    found = (_unmet(turn, each, mine) for each in required if mine is not None)
    return [unmet for unmet in found if unmet is not None]


def title(rollout: Rollout, required: RequiredRollout) -> str:
    """What sentences call it."""
    if required.name is None:
        return f"digest {required.digest}"
    return _called(rollout, _key(rollout, required))


def standing(turn: Turn, required: RequiredRollout) -> str:
    """Of one that is met, why it is."""
    if required.name is None:
        return "it is this rollout's own"
    completed = _look(turn, _key(turn.rollout, required)).completed
    return f"Completed since {completed:%Y-%m-%dT%H:%M:%SZ} with the same {_what(required.same)}"


def _unmet(turn: Turn, required: RequiredRollout, mine: PromotionStatus) -> Unmet | None:
    if required.name is None:
        return _unmet_digest(turn, required, mine)
    key, called = _key(turn.rollout, required), title(turn.rollout, required)
    if circle := _circle(turn, key):
        return Unmet(Reason.INVALID_SPEC, called, circle)
    seen = _look(turn, key)
    absent = _absent(turn.rollout, key, seen)
    differs = "" if absent else _different(turn, required, mine, seen)
    if absent or seen.completed is None:
        early = f"; its {_what(required.same)} differs already: {differs}" if differs else ""
        message = f"waiting for {called}: {absent or _not_complete(seen)}{early}"
        return Unmet(Reason.WAITING_FOR_ROLLOUT, called, message, due=turn.now + AGAIN)
    if differs:
        return Unmet(Reason.PLAN_DIFFERS, called, _refusal(turn, key, required, differs), due=turn.now + AGAIN)
    return _unsoaked(turn, required, called, seen)


def _unsoaked(turn: Turn, required: RequiredRollout, called: str, seen: RolloutSeen) -> Unmet | None:
    since, asked = seen.completed, required.soaked_seconds
    stood = turn.seconds_since(since)
    if since is None or stood >= asked:
        return None
    stands = f"Completed since {since:%Y-%m-%dT%H:%M:%SZ}, for {stood:,.0f}s < soakedSeconds {asked:,}s"
    message = f"waiting for {called}: {stands}"
    return Unmet(Reason.WAITING_FOR_ROLLOUT, called, message, since, turn.after(since, asked))


def _unmet_digest(turn: Turn, required: RequiredRollout, mine: PromotionStatus) -> Unmet | None:
    own = mine.digest if required.same is Same.PLAN else migrations_digest(turn)
    if own == required.digest:
        return None
    field = "status.promotion.digest" if required.same is Same.PLAN else "status.migrationsDigest"
    message = (
        f"the digest of this rollout's {_what(required.same)} is {own}, and spec.requires.rollouts asks for "
        f"{required.digest}: compare status.promotion.parts with those of the rollout that completed it, make them the "
        f"same, or put the {field} of one that has completed this there"
    )
    return Unmet(Reason.PLAN_DIFFERS, title(turn.rollout, required), message, due=turn.now + AGAIN)


def _absent(rollout: Rollout, key: RolloutKey, seen: RolloutSeen) -> str:
    """Why nothing is known of what it is now to do; empty when all is."""
    if seen.error:
        return f"{seen.error}; it is looked at again"
    return _unknown(seen) if seen.exists else _missing(rollout, key)


def _missing(rollout: Rollout, key: RolloutKey) -> str:
    """The same words for one that is not there and for one that this namespace may not see."""
    if key.namespace == rollout.namespace:
        return "there is none of that name in this namespace; create it, or correct the name"
    here = rollout.namespace
    return f"there is none that this namespace may see; create it, correct the name, or let its promotesTo name {here}"


def _unknown(seen: RolloutSeen) -> str:
    if seen.deleting:
        return "it is being deleted; name another one, or create it again"
    if seen.invalid:
        return f"its spec cannot be read: {seen.invalid}"
    if seen.observed_generation != seen.generation:
        return f"its generation {seen.generation} has not been looked at yet, only {seen.observed_generation}"
    return "" if seen.promotion is not None else "it does not say its plan yet"


def _not_complete(seen: RolloutSeen) -> str:
    if seen.reason == Reason.COMPLETED:
        return "what it has completed is a trial that moved nothing; its mode must be Migrate"
    where = f" in phase {seen.phase}" if seen.phase else ""
    return f"it is {seen.reason or 'not looked at yet'}{where}, and must be {Reason.COMPLETED}"


def _different(turn: Turn, required: RequiredRollout, mine: PromotionStatus, seen: RolloutSeen) -> str:
    """The parts that differ, as words; empty when none does."""
    if seen.promotion is None:
        return ""
    theirs, same = seen.promotion, required.same
    if same is Same.PLAN and mine.digest == theirs.digest:
        return ""
    if same is Same.MIGRATIONS and migrations_digest(turn) == seen.migrations_digest:
        return ""
    names = differing(mine, theirs, same)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(_part(turn, name, seen) for name in names[:_NAMED]) + more


def _part(turn: Turn, name: str, seen: RolloutSeen) -> str:
    if name != IMAGE:
        return name
    return f"image ({image(turn) or 'none'} here, {seen.worker_image or 'none'} there)"


def _refusal(turn: Turn, key: RolloutKey, required: RequiredRollout, differs: str) -> str:
    here = turn.rollout
    return (
        f"{_called(here, key)} has completed another {_what(required.same)}: {differs}; compare `kubectl get mroll "
        f"{key.name} -n {key.namespace} -o yaml` with this one, and correct this one, or let the same plan complete "
        "there as a new rollout and name that"
    )


def _circle(turn: Turn, first: RolloutKey) -> str:
    """How a chain of unfinished requirements leads from here back to here; empty when none does."""
    path = _way(turn.rollout.key, first, turn.seen.rollouts)
    if not path:
        return ""
    if path == (turn.rollout.key,):
        return "this rollout requires itself and would never start: take that out of spec.requires.rollouts"
    chain = ", which requires ".join(_called(turn.rollout, key) for key in path)
    return f"this rollout requires {chain}: none of them would ever start; take one out of spec.requires.rollouts"


def _way(goal: RolloutKey, first: RolloutKey, seen: Mapping[RolloutKey, RolloutSeen]) -> tuple[RolloutKey, ...]:
    """The shortest chain of unfinished requirements, empty when none arrives."""
    if first == goal:
        return (goal,)
    ways: dict[RolloutKey, tuple[RolloutKey, ...]] = {first: (first,)}
    ahead = [first]
    while ahead:
        key = ahead.pop(0)
        at = seen.get(key)
        unfinished = at.requires if at is not None and at.completed is None else ()
        if goal in unfinished:
            return (*ways[key], goal)
        for further in unfinished:
            if further not in ways:
                ways[further] = (*ways[key], further)
                ahead.append(further)
    return ()


def _look(turn: Turn, key: RolloutKey) -> RolloutSeen:
    return turn.seen.rollouts.get(key, RolloutSeen(error="it was not looked at"))


def _key(rollout: Rollout, required: RequiredRollout) -> RolloutKey:
    return RolloutKey(required.namespace or rollout.namespace, required.name or "")


def _called(rollout: Rollout, key: RolloutKey) -> str:
    return f"{KIND} {key.name if key.namespace == rollout.namespace else key}"


def _what(same: Same) -> str:
    return "plan" if same is Same.PLAN else "migrations and image"
