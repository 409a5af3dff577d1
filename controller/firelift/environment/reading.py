"""A plan's document made into what the machine remembers of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from firelift.api.environment.status import Action
from firelift.environment.document import (
    ResourceChange,
    output_changes,
    plan_digest,
    resource_changes,
)
from firelift.environment.indexes import from_terraform, single_fields, text
from firelift.environment.loss_table import DATABASE, FIELD, INDEX
from firelift.environment.losses import loss
from firelift.environment.observation import Planned
from firelift.environment.state import SHOWN, ChangeRecord, GoneIndex, NewTtl, PlanRecord, Run

_ADDS = {Action.CREATE, Action.REPLACE}
_DESTROYS = {Action.DELETE, Action.REPLACE}
_SENTENCE = 1000


def read(run: Run, planned: Planned, *, attempt: int, now: datetime) -> PlanRecord:
    """The record of a plan. Raises `UnreadablePlan` for a document that is not whole."""
    document = planned.document
    every = resource_changes(document)
    changes = tuple(change for change in every if not change.moves_only)
    gone = tuple(_gone(changes))
    ttls = tuple(_new_ttls(changes))
    records = _shown(changes, {*(each.address for each in gone), *(each.address for each in ttls)})
    outputs = len(output_changes(document))
    return PlanRecord(
        run=run.id,
        purpose=run.purpose,
        digest=plan_digest(
            document,
            lineage=planned.lineage,
            serial=planned.serial,
            lock_file=planned.lock_file,
            modules=planned.modules,
            purpose=run.purpose,
            attempt=attempt,
        ),
        inputs=run.inputs,
        generation=run.generation,
        attempt=attempt,
        lineage=planned.lineage,
        serial=planned.serial,
        created=now,
        variant=run.variant,
        add=sum(change.action in _ADDS for change in changes),
        change=sum(change.action in {Action.UPDATE, Action.IMPORT} for change in changes),
        destroy=sum(change.action in _DESTROYS for change in changes),
        outputs=outputs,
        others=len(changes) - len(records),
        changes=records,
        new_ttls=ttls,
        gone_indexes=gone,
        new_indexes=tuple(_built(changes)),
        moved=len(every) - len(changes),
        kept=run.kept,
        moves=run.moves,
        imports=run.imports,
    )


def _shown(changes: tuple[ResourceChange, ...], first: set[str]) -> tuple[ChangeRecord, ...]:
    """Every change that matters to data, and as many others as a status has place for."""
    records = [_record(change) for change in changes]
    heavy = [record for record in records if record.loses or record.address in first]
    light = [record for record in records if not (record.loses or record.address in first)]
    return (*heavy, *light[: max(0, SHOWN - len(heavy))])


def _record(change: ResourceChange) -> ChangeRecord:
    lost = loss(change)
    return ChangeRecord(
        address=change.address,
        action=change.action,
        sentence=(lost or _sentence(change))[:_SENTENCE],
        loses=bool(lost),
    )


def _sentence(change: ResourceChange) -> str:
    if change.importing:
        return f"{change.importing} exists and is taken over"
    index = from_terraform(change.after or change.before) if change.type == INDEX else None
    if index is not None:
        does = {Action.CREATE: "is built", Action.DELETE: "goes"}.get(change.action, "is built anew")
        return f"the index on {text(index)} {does}"
    if change.action is Action.UPDATE:
        names = sorted(key for key, value in change.after.items() if change.before.get(key) != value)
        return f"changes {', '.join(names)}" if names else ""
    return ""


def _new_ttls(changes: tuple[ResourceChange, ...]) -> Iterable[NewTtl]:
    """Those of a database that is made by the same plan watch nothing yet, and are left out."""
    if any(change.type == DATABASE and change.action is Action.CREATE for change in changes):
        return
    for change in changes:
        if change.type == FIELD and _has_ttl(change) and (change.removes or not change.before.get("ttl_config")):
            path = str(change.after.get("field", ""))
            yield NewTtl(address=change.address, collection=str(change.after.get("collection", "")), path=path)


def _has_ttl(change: ResourceChange) -> bool:
    if change.action is Action.DELETE:
        return False
    return bool(change.after.get("ttl_config")) or (
        "ttl_config" in change.unknown and not isinstance(change.after.get("ttl_config"), list)
    )


def _gone(changes: tuple[ResourceChange, ...]) -> Iterable[GoneIndex]:
    for change in changes:
        if change.type == INDEX and change.removes:
            yield GoneIndex(
                address=change.address,
                full_address=change.full_address,
                key=change.key,
                index=from_terraform(change.before),
                composite=True,
                replaced=change.action is Action.REPLACE,
            )
        elif change.type == FIELD and single_fields(change.before) - single_fields(_after(change)):
            yield GoneIndex(address=change.address, full_address=change.full_address, key=change.key)


def _after(change: ResourceChange) -> Mapping[str, Any]:
    return {} if change.action is Action.DELETE else change.after


def _built(changes: tuple[ResourceChange, ...]) -> Iterable[str]:
    return (change.key for change in changes if change.type == INDEX and change.action in _ADDS)
