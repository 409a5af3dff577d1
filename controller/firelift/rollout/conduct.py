"""How runs are led: one after the other, under their locks, and stopped before anything else may write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from firelift.api.conditions import Reason
from firelift.api.run import RunPlan, RunState, Totals
from firelift.api.status import WaitingFor
from firelift.rollout.approvals import pinned
from firelift.rollout.intents import AcquireLock, EnsureJob, EnsureRun, Intent, ReleaseLock, RemoveJob, SetRunState
from firelift.rollout.memory import changed
from firelift.rollout.observation import LockSeen, RunSeen
from firelift.rollout.place import Place
from firelift.rollout.state import RolloutState
from firelift.rollout.turn import Outcome, Settled, Turn
from firelift.rollout.twin import Failed, StepOutcome

POLL = timedelta(seconds=2)
"""How often a turn looks at what moves: runs, and what is about to stop."""

_LINK = re.compile(r"https://[^\s)]+")

LEAVING_SECONDS = 60
"""After how long a pod that was told to leave is named: twice the grace of a worker's pod."""


def conduct(place: Place, plans: Sequence[RunPlan], reason: Reason) -> StepOutcome | None:
    """Bring these runs to their end, one at a time; None when all are complete."""
    turn = place.turn
    plan = next((plan for plan in plans if not turn.run(plan.id).complete), None)
    if plan is None:
        return None
    if (image_pinned := pinned(turn)) is not None:
        return image_pinned
    seen = turn.run(plan.id)
    message = f"{plan.kind.value} of {plan.migration.name}, run {plan.id}"
    if seen.job is not None and seen.job.going:
        message += lingering(turn, [plan.id])
        return Settled(reason, message, (EnsureRun(plan, RunState.RUN),), turn.now + POLL)
    if cause := exhausted(seen):
        return Failed(f"{plan.kind.value} of {plan.migration.name} failed in run {plan.id}: {cause}{_example(seen)}")
    intents = (EnsureRun(plan, RunState.RUN), EnsureJob(plan.id, replace=silent(seen)))
    if seen.waiting:
        told, due = f"{message}: {seen.waiting}", turn.now + POLL
        return Settled(Reason.WAITING_FOR_INDEX, told, intents, due, _index(seen))
    return Settled(reason, message, intents, turn.now + POLL)


def _index(seen: RunSeen) -> WaitingFor:
    """By its link, which says all of it and leads to it, or where there is none by the database's sentence."""
    link = _LINK.search(seen.waiting)
    return WaitingFor(name=f"index {link.group() if link else seen.waiting}"[:512], since=seen.waiting_since)


def locked(place: Place, groups: Iterable[str]) -> Outcome | None:
    """Hold the locks of these collection groups; None when all are held.

    Locks are taken in the order of their names, over all that the rollout names, so that two rollouts never wait for
    each other. Where an edit has put a name before one that is held, the later ones are given back first: whoever
    needs a lock that it has not asked for has no writer at work.
    """
    turn, needed = place.turn, sorted(set(groups))
    held = turn.state.locks
    if all(group in held for group in needed):
        return next((_waiting(turn, group) for group in needed if not _mine(turn, group)), None)
    for group in sorted(group for group in {*needed, *_named(turn)} if group <= needed[-1]):
        if group in held and not _mine(turn, group):
            return _waiting(turn, group)
        if group not in held:
            return _given_back(turn, group) or changed(turn.state, locks=(*held, group))
    return None


def freed(turn: Turn) -> RolloutState | None:
    """Forget the locks that were seen to be neither this rollout's nor awaited by it."""
    kept = tuple(group for group in turn.state.locks if not _is_free(turn, group))
    return changed(turn.state, locks=kept) if kept != turn.state.locks else None


def hold(turn: Turn, runs: Iterable[str]) -> tuple[Intent, ...]:
    """Let the workers of these runs idle."""
    return tuple(
        SetRunState(run, RunState.HOLD)
        for run in dict.fromkeys(runs)
        if _may_work(turn, run) and turn.run(run).state not in {RunState.HOLD, RunState.STOP}
    )


def stop(turn: Turn, runs: Iterable[str]) -> tuple[Intent, ...]:
    """Make the workers of these runs leave."""
    intents: list[Intent] = []
    for seen in (turn.run(run) for run in dict.fromkeys(runs) if _may_work(turn, run)):
        if seen.state is not RunState.STOP:
            intents.append(SetRunState(seen.id, RunState.STOP))
        if seen.job is not None and not seen.job.going:
            intents.append(RemoveJob(seen.id))
    return tuple(intents)


def gone(turn: Turn, runs: Iterable[str]) -> bool:
    """Whether none of these runs has a worker, or ever will again: a Job is gone only behind all of its pods."""
    return all(run in turn.seen.runs and _inert(turn.run(run)) for run in runs)


def stopped(place: Place, runs: Sequence[str], reason: Reason) -> Settled | None:
    """Stop these runs; None when they are gone."""
    turn = place.turn
    if gone(turn, runs):
        return None
    due = turn.now + POLL if all(run in turn.seen.runs for run in runs) else turn.now
    message = f"waiting for the workers of {place.title} to leave{lingering(turn, runs)}"
    return Settled(reason, message, stop(turn, runs), due)


def lingering(turn: Turn, runs: Iterable[str]) -> str:
    """Which pod does not leave, as the end of a sentence; empty while all is as it should be."""
    for job in (turn.run(run).job for run in runs):
        if job is not None and job.pod and turn.seconds_since(job.going_since) > LEAVING_SECONDS:
            since = f"{job.going_since:%Y-%m-%dT%H:%M:%SZ}"
            return (
                f"; pod {job.pod} was told to leave at {since} and has not been seen to end: when its node is gone for "
                f"good, kubectl delete node, else see to the node; when its process has surely ended, kubectl delete "
                "pod --force"
            )
    return ""


def tally(turn: Turn, plans: Iterable[RunPlan]) -> Totals:
    """The totals of these runs together."""
    total = Totals()
    for plan in plans:
        total = total.plus(turn.run(plan.id).totals)
    return total


def examples(turn: Turn, plans: Iterable[RunPlan]) -> str:
    """Up to three examples that the workers kept, as the end of a sentence."""
    found = [example for plan in plans for example in turn.run(plan.id).examples][:3]
    return f", such as {'; '.join(found)}" if found else ""


def wanted_job(seen: RunSeen) -> tuple[EnsureJob, ...]:
    """The Job of a run that is to go on; while one is on its way out there is nothing to make."""
    going = seen.job is not None and seen.job.going
    return () if going else (EnsureJob(seen.id, replace=silent(seen)),)


def exhausted(seen: RunSeen) -> str:
    """Why the run's Job has given up for good; empty while it has not."""
    if seen.job is None or not seen.job.failed or silent(seen):
        return ""
    return seen.failure or seen.job.failure or "its Job failed without a word"


def _may_work(turn: Turn, run: str) -> bool:
    seen = turn.run(run)
    observed = run in turn.seen.runs
    return not seen.complete and (seen.exists or seen.job is not None or not observed)


def _inert(seen: RunSeen) -> bool:
    if seen.complete:
        return True
    return seen.job is None and (not seen.exists or seen.state is RunState.STOP)


def silent(seen: RunSeen) -> bool:
    """Whether all pods of a Job are gone without a word, and were killed or told to leave, or had got on before.

    Neither the Job's count of failures nor its waiting time, which doubles with each pod, says anything of the work
    then: a new Job begins at once. What dies by itself at its start is tried less and less often, as the Job does it.
    """
    job = seen.job
    if job is None or job.active or seen.failure:
        return False
    return job.blameless or seen.entries > job.entries


def _example(seen: RunSeen) -> str:
    return f" (such as {seen.examples[0]})" if seen.examples else ""


def _mine(turn: Turn, group: str) -> bool:
    lock = turn.seen.locks.get(group)
    return lock is not None and lock.mine


def _is_free(turn: Turn, group: str) -> bool:
    lock = turn.seen.locks.get(group)
    return lock is not None and not lock.mine and not lock.position


def _waiting(turn: Turn, group: str) -> Settled:
    lock = turn.seen.locks.get(group) or LockSeen(mine=False)
    waiting = WaitingFor(name=lock.holder[:512], position=lock.position, since=lock.since) if lock.holder else None
    who = f" is held by {lock.holder}, {lock.position} in line" if lock.holder else " has been asked for"
    message = f"the lock of collection group {group}{who}; the rollout goes on by itself when it is free"
    observed = group in turn.seen.locks
    due = turn.now + POLL if observed else turn.now
    return Settled(Reason.WAITING_FOR_LOCK, message, (AcquireLock(group),), due, waiting)


def _given_back(turn: Turn, group: str) -> Outcome | None:
    """Give back what comes behind this group; None when nothing of it is held any more."""
    later = tuple(held for held in turn.state.locks if held > group)
    if not later:
        return None
    if any(_is_free(turn, held) for held in later):
        return freed(turn)
    message = (
        f"giving back the locks of collection groups {', '.join(later)}: {group}, which the rollout names since an "
        "edit, comes before them in the order in which all rollouts take their locks"
    )
    intents = tuple(ReleaseLock(held) for held in later)
    return Settled(Reason.WAITING_FOR_LOCK, message, intents, turn.now + POLL)


def _named(turn: Turn) -> set[str]:
    """The collection groups that the rollout writes in: in phases that have started, and in those to come."""
    started = turn.state.phases
    later = turn.spec.phases[len(started) :]
    steps = [step for phase in (*(record.spec for record in started), *later) for step in phase.steps]
    return {group for step in steps if step.restore for group in step.restore.collections} | {
        group
        for phase, migrations in [
            *((record.spec, record.migrations) for record in started),
            *((phase, turn.spec.migrations) for phase in later),
        ]
        for step in phase.steps
        for migration in migrations
        for verb in (step.migrate, step.sweep, step.delete)
        if verb is not None and migration.name in verb.migrations
        for group in ({migration.source_group} if verb is step.delete else migration.lock_groups)
    }
