"""What is said against a migration before anything of it has run, and that going back needs no expression."""

from typing import Any

import pytest
from tests.moving import COPY, IN_PLACE, KIT, migration, plan

from firelift.api.run import RunKind
from firelift.migration.errors import TransformUnusable
from firelift.migration.ledger.journal import Journal
from firelift.migration.processors.build import build
from firelift.migration.processors.revert import Revert
from firelift.migration.processors.revert_verify import RevertVerify
from firelift.migration.transform.check import problem
from firelift.migration.work import Lane
from firelift.stores.memory import MemoryStore

BROKEN = {"appliesWhen": "!has(doc.title"}


@pytest.mark.parametrize(
    ("base", "changes", "where"),
    [
        (IN_PLACE, BROKEN, "migration tasks: appliesWhen"),
        (COPY, {"transform": {"set": {"a": "doc.b +"}}}, "migration fitness-logs: transform.set.a"),
        (COPY, {"transform": {"rename": {"a..b": "c"}}}, "migration fitness-logs: transform.rename"),
        (COPY, {"validate": [{"rule": "out.a >"}]}, "migration fitness-logs: validate"),
        (COPY, {"transform": {"python": {"entrypoint": "shop:go"}}, "ignoreFields": ["a..b"]}, "ignoreFields"),
    ],
)
def test_what_could_never_run_is_named_with_its_field(
    base: dict[str, Any], changes: dict[str, Any], where: str
) -> None:
    assert where in problem(migration(base, **changes), KIT)


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        (COPY, {}),
        (IN_PLACE, {}),
        (COPY, {"transform": {"python": {"entrypoint": "only.in.the.workers.image:convert"}}}),
    ],
)
def test_nothing_is_said_against_what_may_run(base: dict[str, Any], changes: dict[str, Any]) -> None:
    assert problem(migration(base, **changes), KIT) == ""


@pytest.mark.parametrize("kind", [RunKind.REVERT, RunKind.REVERT_VERIFY])
def test_what_cannot_go_forward_can_still_go_back(kind: RunKind) -> None:
    store = MemoryStore()
    journal = Journal(store, "team.move")
    broken = migration(IN_PLACE, **BROKEN)
    with pytest.raises(TransformUnusable):
        build(plan(RunKind.MIGRATE, broken), store, journal, Lane(0))
    _, processor = build(plan(kind, broken), store, journal, Lane(0, subject="forward"))
    assert isinstance(processor, Revert | RevertVerify)
