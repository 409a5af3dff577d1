"""Whether the query of each gate answers, and each backup can be made, asked before the first write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from firelift.api.digest import digest
from firelift.api.gates import GateSpec
from firelift.api.measurement import Window
from firelift.api.plan import MOST_CHECKS, SENTENCE, Check, CheckVerdict
from firelift.rollout.gates import judge
from firelift.rollout.memory import changed
from firelift.rollout.observation import QueryWanted
from firelift.rollout.plan_backups import backup_checks
from firelift.rollout.plan_inputs import coming
from firelift.rollout.plan_state import PlanRecord
from firelift.rollout.state import GateVerdict, Mode, RolloutState
from firelift.rollout.turn import Turn


def queries_wanted(turn: Turn) -> dict[str, QueryWanted]:
    """The gates' queries that the plan has to be told of."""
    record = turn.state.plan
    if record is None or not record.asking or turn.state.mode is not Mode.FORWARD:
        return {}
    return gate_queries(turn, record.asked)


def heard(turn: Turn, record: PlanRecord) -> RolloutState | None:
    """Take what the gates' queries answered into the memory, once all have, and what is known of backups."""
    wanted = gate_queries(turn, record.asked)
    if not record.asking or any(name not in turn.seen.answers for name in wanted):
        return None
    if (copies := backup_checks(turn)) is None:
        return None
    checks = (*copies, *(_gate(turn, name, query) for name, query in wanted.items()))
    return changed(turn.state, plan=changed(record, gates=checks[:MOST_CHECKS], asking=False))


def _gate(turn: Turn, name: str, query: QueryWanted) -> Check:
    judged = judge(query.gate, query.window, turn.seen.answers[name])
    check = f"gate {name}"
    match judged.verdict:
        case GateVerdict.PASS:
            return Check(check=check, verdict=CheckVerdict.PASS, message=f"answers: {judged.message}"[:SENTENCE])
        case GateVerdict.ERROR:
            message = f"cannot be judged: {judged.message}"
            return Check(check=check, verdict=CheckVerdict.FAIL, message=message[:SENTENCE])
        case GateVerdict.FAIL:
            message = f"fails already, before anything has moved: {judged.message}"
        case _:
            message = f"has no verdict yet: {judged.message}; no data is never success"
    return Check(check=check, verdict=CheckVerdict.WARN, message=message[:SENTENCE])


def gate_queries(turn: Turn, asked: datetime) -> dict[str, QueryWanted]:
    """One question per different gate, for the last window at that time; a phase's own by its name too.

    Not of gates on the ledger, which has nothing to tell before the first write.
    """
    different: dict[str, tuple[str, GateSpec]] = {}
    for name, gate in _named(turn):
        different.setdefault(digest(gate), (name, gate))
    return {name: QueryWanted(gate, _window(gate, asked)) for name, gate in different.values()}


def _named(turn: Turn) -> Iterator[tuple[str, GateSpec]]:
    for each in coming(turn):
        own = {gate.name for gate in each.phase.gates}
        for gate in _asking(each.gates):
            yield (f"{each.phase.name}/{gate.name}" if gate.name in own else gate.name), gate


def _asking(gates: Iterable[GateSpec]) -> Iterator[GateSpec]:
    return (gate for gate in gates if gate.ledger is None)


def _window(gate: GateSpec, asked: datetime) -> Window:
    end = asked - timedelta(seconds=gate.delay_seconds)
    return Window(end - timedelta(seconds=gate.window_seconds), end)
