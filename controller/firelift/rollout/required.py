"""`spec.requires`: no phase starts, and no step of one that changes anything, before what it stands on is there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from firelift.api.conditions import ConditionStatus, Reason
from firelift.api.environment import KIND
from firelift.api.environment.conditions import EnvironmentConditionType
from firelift.api.plan import LONGEST_CHECK, SENTENCE, Check, CheckVerdict
from firelift.api.rollout import PhaseSpec, RolloutMode
from firelift.api.status import WaitingFor
from firelift.rollout import recent
from firelift.rollout.ground import ConditionSeen, EnvironmentSeen
from firelift.rollout.observation import Rollout
from firelift.rollout.place import current
from firelift.rollout.plan_gates import queries_wanted
from firelift.rollout.required_rollouts import standing, unmet_rollouts
from firelift.rollout.required_rollouts import title as rollout_title
from firelift.rollout.state import Mode, Rehearsal, StepState
from firelift.rollout.turn import Outcome, Settled, Turn
from firelift.rollout.unmet import Unmet

DECLARED = "declared database"
"""What stands among the checks where `spec.database.uid` is set."""

AGAIN = timedelta(seconds=5)
"""How often what is waited for is looked at, should nothing wake the rollout."""

_ORDER = {reason: place for place, reason in enumerate(Reason)}
_CHANGING = {"flags", "migrate", "sweep", "delete", "restore"}
"""The verbs that change anything outside the ledger."""


def held_back(turn: Turn) -> Outcome | None:
    """Why the next phase does not start; None when all that it requires is there. A trial writes nothing.

    A phase that makes a backup before it changes anything starts without one, and is asked for it then.
    """
    if turn.spec.mode is not RolloutMode.MIGRATE:
        return None
    phase = turn.spec.phases[turn.state.phase_index]
    return _ground(turn) or (None if _backs_up_first(phase) else recent.required(turn, writing=False))


def _ground(turn: Turn) -> Settled | None:
    found = _unmet(turn)
    # What a person must fix comes before what time will.
    return _waiting(turn, min(found, key=lambda unmet: _ORDER[unmet.reason])) if found else None


def unproven(turn: Turn) -> Settled | None:
    """Why no plan is begun, in any mode; None where no uid is declared, or it is answered.

    A plan's run holds the uid that it was asked with: one that was begun without it would refuse the database for good.
    """
    found = _database(turn)
    return _waiting(turn, found) if found else None


def before_a_change(turn: Turn) -> Outcome | None:
    """The same for each step that changes anything: what it stands on may have gone since the one before it."""
    place = current(turn)
    if place is None or place.record.state is not StepState.PENDING or place.spec.verb not in _CHANGING:
        return None
    if turn.spec.mode is not RolloutMode.MIGRATE or place.phase.rehearsal is Rehearsal.BACK:
        return None
    return _ground(turn) or recent.required(turn, writing=True)


def _backs_up_first(phase: PhaseSpec) -> bool:
    verbs = [step.verb for step in phase.steps]
    changing = next((index for index, verb in enumerate(verbs) if verb in _CHANGING), len(verbs))
    return "backup" in verbs[:changing]


def troubled(turn: Turn) -> list[str]:
    """While a phase is under way: what has become of rollouts that it rests on; what works goes on all the same."""
    place = current(turn)
    if place is None or turn.state.mode is not Mode.FORWARD or turn.spec.mode is not RolloutMode.MIGRATE:
        return []
    goes_on = f"phase {place.phase.name} goes on with what is under way, and no further step of it changes anything"
    return [f"{goes_on}: {unmet.message}" for unmet in unmet_rollouts(turn)][:1]


def checks(turn: Turn) -> tuple[Check, ...]:
    """How each requirement stands, beside the checks of a plan; none while nothing is asked."""
    requires = turn.spec.requires
    if turn.state.mode is not Mode.FORWARD or turn.spec.mode is not RolloutMode.MIGRATE:
        return ()
    found = {each.name: each.message for each in _unmet(turn)}
    bad = CheckVerdict.FAIL if current(turn) is None else CheckVerdict.WARN
    unmet = [_check(name, bad, message) for name, message in found.items()]
    ready = [titled(requires.environment.name)] if requires.environment is not None else []
    met = [_check(name, CheckVerdict.PASS, "it is Ready") for name in ready if name not in found]
    if turn.spec.database.uid is not None and DECLARED not in found:
        met.append(_check(DECLARED, CheckVerdict.PASS, f"its uid is {turn.spec.database.uid}"))
    names = {rollout_title(turn.rollout, each): each for each in requires.rollouts}
    met += [_check(name, CheckVerdict.PASS, standing(turn, each)) for name, each in names.items() if name not in found]
    return (*unmet, *met)


def environments_wanted(turn: Turn) -> tuple[str, ...]:
    """The environments that the next decision speaks of. On the way back there are none: it waits for nobody."""
    if turn.state.mode is not Mode.FORWARD:
        return ()
    required = turn.spec.requires.environment
    place = current(turn)
    tried = (query.gate for query in queries_wanted(turn).values())
    gates = (*(place.phase.gates if place is not None else ()), *tried)
    judged = (gate.environment.name for gate in gates if gate.environment is not None)
    # Those of steps to come too: a step is asked in the very turn in which it starts.
    phases = [*turn.spec.phases, *(record.spec for record in turn.state.phases)]
    awaited = (step.indexes.environment for phase in phases for step in phase.steps if step.indexes is not None)
    return tuple(dict.fromkeys([*([required.name] if required else []), *judged, *awaited]))


def _unmet(turn: Turn) -> list[Unmet]:
    database, environment = _database(turn), unmet_environment(turn.rollout, turn.seen.environments)
    return [*([database] if database else []), *([environment] if environment else []), *unmet_rollouts(turn)]


def _database(turn: Turn) -> Unmet | None:
    mistake = turn.spec.database.mistaken(turn.seen.ledger.actual_database_uid)
    return Unmet(Reason.DATABASE_DIFFERS, DECLARED, mistake) if mistake else None


def unmet_environment(rollout: Rollout, seen: Mapping[str, EnvironmentSeen]) -> Unmet | None:
    """What keeps the required environment from being stood on; None when it is Ready, or none is required."""
    required = rollout.spec.requires.environment
    if required is None:
        return None
    found, title = look(seen, required.name), titled(required.name)
    ready = found.conditions.get(EnvironmentConditionType.READY)
    since = ready.since if ready is not None and ready.status is not ConditionStatus.TRUE else None
    if mistake := elsewhere(rollout, found, required.name):
        return Unmet(Reason.INVALID_SPEC, title, mistake)
    sentence = _not_ready(found)
    return Unmet(Reason.WAITING_FOR_ENVIRONMENT, title, f"waiting for {title}: {sentence}", since) if sentence else None


def look(seen: Mapping[str, EnvironmentSeen], name: str) -> EnvironmentSeen:
    """What is known of the environment."""
    return seen.get(name, EnvironmentSeen(error="it was not looked at"))


def titled(name: str) -> str:
    """What sentences call an environment."""
    return f"{KIND} {name}"


def elsewhere(rollout: Rollout, seen: EnvironmentSeen, name: str) -> str:
    """Why it is not the environment of the rollout's database; empty when it is, or is not there."""
    database = rollout.spec.database
    if not seen.exists or (seen.project, seen.database) == (database.project, database.name):
        return ""
    return (
        f"{titled(name)} declares database {seen.database} of project {seen.project}, and spec.database is "
        f"{database.name} of {database.project}: name the environment of this database instead"
    )


def _not_ready(seen: EnvironmentSeen) -> str:
    if sentence := absent(seen):
        return sentence
    ready = seen.conditions.get(EnvironmentConditionType.READY)
    if ready is None:
        return "it has no Ready condition yet"
    if ready.generation != seen.generation:
        return f"its Ready speaks of generation {ready.generation}, and it is at {seen.generation}"
    return _told(ready)


def absent(seen: EnvironmentSeen) -> str:
    """Why nothing that the environment says is of what it is now to be; empty when all is."""
    if seen.error:
        return f"{seen.error}; it is looked at again"
    if not seen.exists:
        return "there is none of that name in this namespace; create it, or correct the name"
    if seen.deleting:
        return "it is being deleted; name another one, or create it again"
    if seen.observed_generation != seen.generation:
        return f"its generation {seen.generation} has not been looked at yet, only {seen.observed_generation}"
    return ""


def _told(ready: ConditionSeen) -> str:
    if ready.status is ConditionStatus.TRUE:
        return ""
    told = f": {ready.message}" if ready.message else ""
    since = f" since {ready.since:%Y-%m-%dT%H:%M:%SZ}" if ready.since else ""
    return f"Ready is {ready.status}, {ready.reason}{since}{told}"


def _check(name: str, verdict: CheckVerdict, message: str) -> Check:
    return Check(check=name[:LONGEST_CHECK], verdict=verdict, message=message[:SENTENCE])


def _waiting(turn: Turn, unmet: Unmet) -> Settled:
    waiting = WaitingFor(name=unmet.name[:512], since=unmet.since)
    return Settled(unmet.reason, unmet.message, due=unmet.due or turn.now + AGAIN, waiting_for=waiting)
