"""The verb `flags`: a barrier in both directions, and values that are taken back only while they are still ours."""

from __future__ import annotations

from collections.abc import Mapping

from firelift.api.conditions import Reason
from firelift.api.run import RunPlan
from firelift.api.steps.flags import SEED_SUFFIX, FlagsStep
from firelift.rollout.intents import SetFlags
from firelift.rollout.observation import ConfigMapSeen
from firelift.rollout.place import Place
from firelift.rollout.state import StepState
from firelift.rollout.steps.passes import pass_plans, passes
from firelift.rollout.turn import Settled
from firelift.rollout.twin import Failed, Finished, StepOutcome, Twin


def values(place: Place, step: FlagsStep) -> dict[str, str]:
    """What the step writes: its keys, each published percent, and the seed beside it."""
    published = {key: str(percent) for key, percent in step.publish_cohort.items()}
    seeds = {f"{key}{SEED_SUFFIX}": place.turn.rollout.seed for key in step.publish_cohort}
    return {**step.set, **published, **seeds}


def strangers(place: Place, seen: ConfigMapSeen) -> dict[str, str | None]:
    """Keys that are neither as Firelift wrote them nor as they were before, and what they are now."""
    record = place.record
    return {
        key: seen.data.get(key)
        for key, written in record.written.items()
        if seen.data.get(key) != record.before.get(key) and not (seen.data.get(key) == written and key in seen.owned)
    }


def to_restore(place: Place, seen: ConfigMapSeen) -> dict[str, str | None]:
    """Keys that do not have their values of before, and those values."""
    before = place.record.before
    return {key: before.get(key) for key in place.record.written if seen.data.get(key) != before.get(key)}


def overdue(place: Place) -> bool:
    """Whether `maxSeconds` has run out on flags that still stand."""
    step, record = place.spec.flags, place.record
    if step is None or step.max_seconds is None or record.written_time is None or record.taken_back:
        return False
    standing = record.state not in {StepState.UNDOING, StepState.UNDONE, StepState.KEPT}
    return standing and place.turn.seconds_since(record.written_time) >= step.max_seconds


def _forward(place: Place) -> StepOutcome:
    step, record = _spec(place), place.record
    wanted = values(place, step)
    if not wanted or record.taken_back:
        return Finished(record)
    if overdue(place):
        return Settled(Reason.SETTING_FLAGS, f"taking back the flags of {place.title}: their time has run out")
    seen = place.turn.seen.config_maps.get(step.config_map.name)
    if seen is None or not seen.exists:
        return _absent(place, step, seen)
    # A key that an earlier attempt wrote, and that was left standing, is still this step's to restore.
    written = {**record.written, **wanted}
    before = _before(place, seen, written)
    if before != record.before or written != record.written:
        return place.save(before=before, written=written)
    return _stand(place, step, seen, wanted)


def _before(place: Place, seen: ConfigMapSeen, wanted: Mapping[str, str]) -> dict[str, str | None]:
    """What a revert restores: until the flags have stood, whatever others have set last."""
    record = place.record
    if record.stood:
        return record.before
    ours = {key for key in record.written if key in seen.owned and seen.data.get(key) == record.written[key]}
    return {key: record.before.get(key) if key in ours else seen.data.get(key) for key in wanted}


def _stand(place: Place, step: FlagsStep, seen: ConfigMapSeen, wanted: Mapping[str, str]) -> StepOutcome:
    record = place.record
    if any(seen.data.get(key) != value for key, value in wanted.items()):
        if record.written_time is not None:
            return place.save(written_time=None)
        message = f"setting {', '.join(wanted)} in ConfigMap {step.config_map.name}"
        return Settled(Reason.SETTING_FLAGS, message, (_set(step, seen, wanted),))
    if record.written_time is None:
        return place.save(written_time=place.turn.now, stood=True)
    if place.turn.seconds_since(record.written_time) < step.propagation_seconds:
        due = place.turn.after(record.written_time, step.propagation_seconds)
        message = f"flags {', '.join(wanted)} are set; the app has {step.propagation_seconds:,}s to hear of them"
        return Settled(Reason.SETTING_FLAGS, message, due=due)
    return Finished(record)


def _inverse(place: Place) -> StepOutcome:
    step, record = _spec(place), place.record
    if not record.written:
        return Finished(record)
    if record.restored_time is None:
        return _restore(place, step)
    if place.turn.seconds_since(record.restored_time) < step.propagation_seconds:
        due = place.turn.after(record.restored_time, step.propagation_seconds)
        message = f"the flags of {place.title} are as before; the app has {step.propagation_seconds:,}s to hear of it"
        return Settled(Reason.REVERTING, message, due=due)
    return passes(place)


def _restore(place: Place, step: FlagsStep) -> StepOutcome:
    seen = place.turn.seen.config_maps.get(step.config_map.name)
    if place.record.taken_back:
        return place.save(restored_time=place.turn.now)
    if seen is None:
        return Settled(Reason.REVERTING, f"reading ConfigMap {step.config_map.name}", due=place.turn.now)
    if foreign := strangers(place, seen):
        return Failed(_foreign(place, step, foreign))
    pending = to_restore(place, seen)
    if not pending:
        return place.save(restored_time=place.turn.now)
    message = f"restoring {', '.join(pending)} in ConfigMap {step.config_map.name}"
    return Settled(Reason.REVERTING, message, (_set(step, seen, pending),))


def _foreign(place: Place, step: FlagsStep, foreign: Mapping[str, str | None]) -> str:
    key, found = next(iter(foreign.items()))
    wrote, before = place.record.written.get(key), place.record.before.get(key)
    return (
        f"flag {key} in ConfigMap {step.config_map.name} is {found!r}: Firelift wrote {wrote!r}, before it was "
        f"{before!r}, and somebody has changed it since; set it to {before!r} to let the revert go on"
    )


def _absent(place: Place, step: FlagsStep, seen: ConfigMapSeen | None) -> Settled:
    name = step.config_map.name
    if seen is None:
        return Settled(Reason.SETTING_FLAGS, f"reading ConfigMap {name}", due=place.turn.now)
    return Settled(
        Reason.SETTING_FLAGS,
        f"ConfigMap {name} does not exist in namespace {place.turn.rollout.namespace}; the step waits for it",
    )


def _spec(place: Place) -> FlagsStep:
    step = place.spec.flags
    assert step is not None  # noqa: S101 - the registry asks this twin for no other verb
    return step


def _undo_plans(place: Place) -> tuple[RunPlan, ...]:
    return pass_plans(place) if place.record.restored_time else ()


FLAGS = Twin(forward=_forward, inverse=_inverse, undo_plans=_undo_plans)


def stands(place: Place, seen: ConfigMapSeen) -> bool:
    """Whether each key has what was written, and is ours."""
    return all(seen.data.get(key) == value and key in seen.owned for key, value in place.record.written.items())


def taken_back(place: Place, seen: ConfigMapSeen) -> bool:
    """Whether nothing is left that a time limit could take back."""
    return not set(to_restore(place, seen)) - set(strangers(place, seen))


def take_back(place: Place, seen: ConfigMapSeen) -> SetFlags:
    """Restore what is still ours of flags whose time has run out."""
    foreign = strangers(place, seen)
    values_before = {key: value for key, value in to_restore(place, seen).items() if key not in foreign}
    return _set(_spec(place), seen, values_before)


def _set(step: FlagsStep, seen: ConfigMapSeen, wanted: Mapping[str, str | None]) -> SetFlags:
    return SetFlags(step.config_map.name, wanted, {key: seen.data.get(key) for key in wanted})
