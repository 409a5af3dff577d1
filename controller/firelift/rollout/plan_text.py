"""The plan as people read it: one line, a page, and JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from firelift.api.plan import Check, CheckVerdict, PhaseEstimate
from firelift.api.rollout import RolloutSpec
from firelift.rollout.plan_inputs import coming
from firelift.rollout.plan_state import PlanRecord
from firelift.rollout.promotion import promotion
from firelift.rollout.required import checks as requirements
from firelift.rollout.turn import Turn

TEXT_KEY, JSON_KEY, DIGEST_KEY = "plan.txt", "plan.json", "digest"

_SUFFIX = "-plan"
_LONGEST_NAME = 253
_ORDER = [CheckVerdict.FAIL, CheckVerdict.WARN, CheckVerdict.PASS]


def map_name(rollout: str) -> str:
    """The ConfigMap of a rollout's plan; a name too long for one is cut and told apart by a digest."""
    if len(rollout) + len(_SUFFIX) <= _LONGEST_NAME:
        return f"{rollout}{_SUFFIX}"
    kept = _LONGEST_NAME - len(_SUFFIX) - 11
    return f"{rollout[:kept].rstrip('-.')}-{hashlib.sha256(rollout.encode()).hexdigest()[:10]}{_SUFFIX}"


def summary(spec: RolloutSpec, record: PlanRecord) -> str:
    """One line: how much, and how many checks say what."""
    documents = sum(each.documents for each in record.phases)
    minutes = sum(each.minutes for each in record.phases)
    counts = {verdict: sum(check.verdict is verdict for check in record.all_checks) for verdict in CheckVerdict}
    checks = (
        f"{counts[CheckVerdict.PASS]} checks pass, {counts[CheckVerdict.WARN]} warn, {counts[CheckVerdict.FAIL]} fail"
    )
    if not record.phases:
        return f"plan {record.number}: {checks}"
    return (
        f"plan {record.number} of {len(record.phases)} phases, mode {spec.mode}: {documents:,} documents, "
        f"{minutes:,} min of work; {checks}"
    )


def map_data(turn: Turn, record: PlanRecord, digest: str) -> dict[str, str]:
    """The data of the ConfigMap."""
    return {DIGEST_KEY: digest, TEXT_KEY: page(turn, record), JSON_KEY: _json(turn, record)}


def page(turn: Turn, record: PlanRecord) -> str:
    """The whole plan on one page."""
    spec, time = turn.spec, record.time or record.started
    title = f"MigrationRollout {turn.rollout.namespace}/{turn.rollout.name}"
    lines = [
        f"Plan {record.number} of {title}, attempt {record.attempt}",
        f"made {time:%Y-%m-%d %H:%M:%S} UTC for {spec.database.project}/{spec.database.name}, mode {spec.mode}",
        f"digest {record.digest}",
        f"promotion digest {promotion(turn).digest}",
        "",
        "Preflight",
        *_checks([*requirements(turn), *record.all_checks]),
        "",
        _head(spec),
        *_estimates(record.phases),
        "",
        "Steps",
        *(line for each in coming(turn) for line in _steps(each.phase.name, (step.key for step in each.phase.steps))),
    ]
    return "\n".join(lines) + "\n"


def _head(spec: RolloutSpec) -> str:
    prices = f"reads {spec.prices.reads_per_100k}, writes {spec.prices.writes_per_100k} {spec.prices.currency}"
    return f"Estimate (prices per 100,000: {prices}; at most {spec.pace.max_writes_per_second:,} writes/s)"


def _checks(every: Iterable[Check]) -> list[str]:
    ordered = sorted(every, key=lambda check: _ORDER.index(check.verdict))
    return [f"  {check.verdict:<5} {check.check}: {check.message}" for check in ordered]


def _estimates(phases: Iterable[PhaseEstimate]) -> list[str]:
    rows = [("PHASE", "DOCUMENTS", "READS", "WRITES", "MONEY", "MINUTES", "WAITING")]
    rows += [
        (
            each.name,
            f"{each.documents:,}",
            f"{each.reads:,}",
            f"{each.writes:,}",
            each.money,
            f"{each.minutes:,}",
            f"{each.waiting_minutes:,}",
        )
        for each in phases
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  " + "  ".join(_cell(cell, widths[at], at) for at, cell in enumerate(row)).rstrip() for row in rows]


def _cell(text: str, width: int, column: int) -> str:
    return text.rjust(width) if column else text.ljust(width)


def _steps(phase: str, keys: Iterable[str]) -> list[str]:
    return [f"  {phase}: {' → '.join(keys)}"]


def _json(turn: Turn, record: PlanRecord) -> str:
    document = {
        "number": record.number,
        "attempt": record.attempt,
        "digest": record.digest,
        "mode": turn.spec.mode,
        "image": record.image,
        "promotion": promotion(turn).model_dump(mode="json", by_alias=True, exclude_none=True),
        "requires": [check.model_dump(mode="json", by_alias=True) for check in requirements(turn)],
        "preflight": [check.model_dump(mode="json", by_alias=True) for check in record.all_checks],
        "counts": [count.model_dump(mode="json", by_alias=True) for count in record.counts],
        "phases": [each.model_dump(mode="json", by_alias=True) for each in record.phases],
        "spec": [each.phase.model_dump(mode="json", by_alias=True, exclude_none=True) for each in coming(turn)],
        "migrations": [
            migration.model_dump(mode="json", by_alias=True, exclude_none=True)
            for migration in record.request.migrations
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
