"""Whether steps that copy the database or bring it back can do so, as far as it can be told before the first write."""

from __future__ import annotations

from collections.abc import Iterator

from firelift.api.plan import SENTENCE, Check, CheckVerdict
from firelift.api.steps import StepSpec
from firelift.api.steps.backup import BackupStep, ExportSpec
from firelift.api.steps.restore import RestoreStep
from firelift.rollout.backups import SUCCESSFUL, BackupsSeen, TransferKind
from firelift.rollout.plan_inputs import coming
from firelift.rollout.recent import Asked, newest
from firelift.rollout.turn import Turn

_UNSEEN = "whether Firestore's service agent may use the bucket is seen when it begins"


def backup_checks(turn: Turn) -> tuple[Check, ...] | None:
    """One check per step to come that is about a copy of the database; None when nobody has looked yet."""
    steps = [(each.phase.name, step) for each in coming(turn) for step in each.phase.steps if _is_about(step)]
    if not steps:
        return ()
    seen = turn.seen.backups
    return None if seen is None else tuple(_checked(turn, seen, phase, step) for phase, step in steps)


def _is_about(step: StepSpec) -> bool:
    return step.backup is not None or step.restore is not None


def _checked(turn: Turn, seen: BackupsSeen, phase: str, step: StepSpec) -> Check:
    verdict, message = _found(turn, seen, step)
    return Check(check=f"{step.verb} {phase}/{step.key}"[:128], verdict=verdict, message=message[:SENTENCE])


def _found(turn: Turn, seen: BackupsSeen, step: StepSpec) -> tuple[CheckVerdict, str]:
    match step.backup or step.restore:
        case BackupStep(export=ExportSpec() as export):
            return _operable(seen) or (CheckVerdict.PASS, f"exports to {export.bucket} can be asked for; {_UNSEEN}")
        case BackupStep() as backup:
            copy = newest(turn, Asked(backup.max_age_seconds or 0, backup.min_bytes))
            good = not isinstance(copy, str)
            return CheckVerdict.PASS if good else CheckVerdict.WARN, copy if isinstance(copy, str) else copy.name
        case RestoreStep() as restore:
            return _operable(seen) or _imported(seen, restore)
    return CheckVerdict.PASS, ""


def _operable(seen: BackupsSeen) -> tuple[CheckVerdict, str] | None:
    return (CheckVerdict.FAIL, seen.operations_error) if seen.operations_error else None


def _imported(seen: BackupsSeen, step: RestoreStep) -> tuple[CheckVerdict, str]:
    made = next(_exports_to(seen, step.export), None)
    if made is None:
        return CheckVerdict.WARN, (
            f"Firestore tells of no complete export to {step.export}, which it does for some days; whether it is "
            "complete is seen when the import begins"
        )
    if absent := sorted(set(step.collections) - made) if made else []:
        return CheckVerdict.FAIL, f"the export to {step.export} has no collection group {', '.join(absent)}"
    if not made:
        return CheckVerdict.WARN, (
            f"{step.export} is an export of the whole database, of which Firestore may refuse to import single "
            "collection groups: try it in another database first"
        )
    return CheckVerdict.PASS, f"{step.export} is a complete export of what is imported; {_UNSEEN}"


def _exports_to(seen: BackupsSeen, uri: str) -> Iterator[frozenset[str]]:
    return (
        each.collections
        for each in seen.operations
        if each.kind is TransferKind.EXPORT and each.uri == uri and each.state == SUCCESSFUL
    )
