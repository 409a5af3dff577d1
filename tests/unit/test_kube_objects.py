from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from firelift.kube.approvals import select
from firelift.kube.config_maps import keys_to_apply, manager_of, owned_keys
from firelift.kube.errors import Changed, KubeError, NotFound, Refused, Unreachable, error_of
from firelift.kube.events import Subject, build
from firelift.kube.rollouts import parse
from firelift.rollout.observation import ConfigMapSeen

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SUBJECT = Subject("shop", "users", "uid-1")


def document(**spec: Any) -> dict[str, Any]:
    metadata = {"namespace": "shop", "name": "users", "uid": "u", "generation": 3, "resourceVersion": "7"}
    return {"metadata": metadata, "spec": spec}


def approval(name: str, target: str, created: str, digest: str = "sha256:" + "a" * 64) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "creationTimestamp": created},
        "spec": {"target": {"name": target}, "digest": digest, "decision": "Approve", "approver": "ada"},
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, NotFound), (409, Changed), (403, Refused), (422, Refused), (429, Unreachable), (503, Unreachable)],
)
def test_an_answer_becomes_the_error_that_says_what_can_be_done(status: int, kind: type[KubeError]) -> None:
    assert type(error_of("GET /x", status, "no")) is kind


def test_an_error_names_the_call_and_the_servers_sentence() -> None:
    assert str(error_of("GET /x", 403, "forbidden")) == "GET /x: forbidden (HTTP 403)"


def test_an_invalid_spec_becomes_a_sentence_with_its_places() -> None:
    seen = parse(document(database={"project": "demo"}, phases=[{"name": "one", "steps": []}]))

    assert seen.value is None
    assert "spec.migrations: Field required" in seen.invalid
    assert "spec.phases[0].steps" in seen.invalid


def test_an_object_is_parsed_with_what_its_next_write_needs() -> None:
    spec = {
        "database": {"project": "demo"},
        "migrations": [{"name": "m", "source": {"collection": "a"}, "target": {"document": "b/{id}"}}],
        "phases": [{"name": "one", "steps": [{"soak": {"seconds": 1, "evidence": "None"}}]}],
    }
    seen = parse(document(**spec))

    assert (seen.resource_version, seen.generation, seen.deleting, seen.held) == ("7", 3, False, False)
    assert seen.value is not None
    assert seen.value.ledger_id == "shop.users"


def test_approvals_are_those_of_the_rollout_in_order_of_creation() -> None:
    items = [
        approval("late", "users", "2026-01-01T10:00:00Z"),
        approval("other", "tasks", "2026-01-01T09:00:00Z"),
        approval("early", "users", "2026-01-01T08:00:00Z"),
    ]

    assert [each.name for each in select(items, "users")] == ["early", "late"]


def test_an_approval_that_cannot_be_read_approves_nothing() -> None:
    assert select([approval("odd", "users", "2026-01-01T08:00:00Z", digest="what?")], "users") == ()


def test_a_manager_owns_only_the_keys_that_it_applied() -> None:
    fields = [
        {"manager": "firelift.users", "operation": "Apply", "fieldsV1": {"f:data": {".": {}, "f:A": {}, "f:B": {}}}},
        {"manager": "firelift.users", "operation": "Update", "fieldsV1": {"f:data": {"f:C": {}}}},
        {"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:data": {"f:D": {}}}},
    ]

    assert owned_keys({"metadata": {"managedFields": fields}}, "firelift.users") == {"A", "B"}
    assert owned_keys({"metadata": {}}, "firelift.users") == frozenset()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"A": "2"}, {"A": "2", "B": "1"}),
        ({"A": None}, {"B": "1"}),
        ({"C": "1"}, {"A": "1", "B": "1", "C": "1"}),
        ({"Z": None}, {"A": "1", "B": "1"}),
    ],
)
def test_keys_that_are_owned_already_are_named_again(values: dict[str, str | None], expected: dict[str, str]) -> None:
    seen = ConfigMapSeen(exists=True, data={"A": "1", "B": "1", "Z": "9"}, owned=frozenset({"A", "B"}))

    assert keys_to_apply(seen, values) == expected


def test_a_managers_name_fits_and_tells_long_rollouts_apart() -> None:
    assert manager_of("users") == "firelift.users"
    assert len(manager_of("a" * 253)) <= 128
    assert manager_of("a" * 253) != manager_of("a" * 252)


def test_the_same_sentence_about_the_same_object_has_the_same_event() -> None:
    def name(time: datetime, message: str = "m", subject: Subject = SUBJECT) -> Any:
        event = build(subject, reason="R", message=message, warning=False, now=time, reporter="op")
        return event["metadata"]["name"]

    assert name(NOON) == name(NOON + timedelta(days=1))
    assert name(NOON) != name(NOON, "another")
    assert name(NOON) != name(NOON, subject=Subject("shop", "users", "uid-2"))
