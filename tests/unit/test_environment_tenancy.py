"""Where the namespace may not touch the database, or the bucket of the state, Terraform does nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.environment_world import World, world

from firelift.api.tenancy import BUCKETS, DATABASES, UNBOUND, Tenancy

AUTO = {"apply": "Auto"}
NOT_ALLOWED = Tenancy("shop", databases="gym-prod/*")


def _withdraw(made: World, tenancy: Tenancy = NOT_ALLOWED) -> None:
    made.environment = replace(made.environment, tenancy=tenancy)


def test_nothing_is_planned_where_the_namespace_may_not_touch_the_database() -> None:
    made = world(terraform=AUTO)
    _withdraw(made)
    status = made.settle()

    assert status.reason == "DatabaseNotAllowed"
    assert status.message == (
        f"spec.database: namespace shop may not touch database prod-1/(default): its annotation {DATABASES} allows "
        "gym-prod/*; whoever may edit the Namespace adds to it; nothing is planned, applied or looked at"
    )
    assert {each.type.value: each.status.value for each in status.conditions}["Stalled"] == "True"
    assert made.begun == set()
    _withdraw(made, Tenancy("shop", databases="prod-1/*"))
    assert made.settle(seconds=20).reason == "Ready"


def test_what_was_applied_stays_and_is_not_looked_at_any_more() -> None:
    made = world(terraform=AUTO)
    assert made.settle(seconds=20).reason == "Ready"
    begun = set(made.begun)
    _withdraw(made)
    made.pass_time(100_000)
    status = made.settle()
    assert (status.reason, made.begun) == ("DatabaseNotAllowed", begun)
    assert status.message.endswith("; what was applied stays")


def test_a_plan_that_is_approved_meanwhile_is_not_applied() -> None:
    made = world()
    assert made.settle().reason == "AwaitingApproval"
    _withdraw(made)
    made.approve_all()
    assert made.settle().reason == "DatabaseNotAllowed"
    assert made.real == {}
    _withdraw(made, UNBOUND)
    assert made.settle(seconds=20).reason == "Ready"


def test_a_run_whose_turn_comes_afterwards_is_not_begun() -> None:
    made = world(terraform=AUTO)
    made.busy = True
    made.turn()
    made.turn()
    assert made.process.waiting
    _withdraw(made)
    made.busy = False
    assert made.settle().reason == "DatabaseNotAllowed"
    assert made.begun == set()


@pytest.mark.parametrize(
    ("buckets", "reason"),
    [(None, "BucketNotAllowed"), ("gym-state/*", "BucketNotAllowed"), ("acme-state/shop/*", "Ready")],
)
def test_the_state_is_in_a_bucket_that_the_namespace_may_touch(buckets: str | None, reason: str) -> None:
    made = world(terraform={**AUTO, "backend": {"gcs": {"bucket": "acme-state", "prefix": "shop/ground"}}})
    _withdraw(made, Tenancy("shop", databases="prod-1/*", buckets=buckets))
    status = made.settle(seconds=20)
    assert status.reason == reason
    if reason != "Ready":
        place = "namespace shop may not touch bucket acme-state/shop/ground"
        assert status.message.startswith(f"spec.terraform.backend.gcs: {place}: ")
        assert BUCKETS in status.message


def test_an_object_that_is_deleted_destroys_nothing_there_and_says_how_to_let_go_of_it() -> None:
    made = world(terraform={**AUTO, "deletionPolicy": "Destroy"})
    made.settle(seconds=20)
    _withdraw(made)
    made.delete()
    status = made.settle()
    assert status.reason == "DatabaseNotAllowed"
    assert "nothing is destroyed, all that it has made is there; to let go of it and destroy nothing" in status.message
    assert made.real
    made.edit(terraform={**AUTO, "deletionPolicy": "Retain"})
    made.settle()
    assert (made.gone, bool(made.real)) == (True, True)


@pytest.mark.parametrize("policy", ["Retain", "Destroy"])
def test_an_object_that_was_never_allowed_can_be_deleted(policy: str) -> None:
    made = world(terraform={"deletionPolicy": policy})
    _withdraw(made)
    made.settle()
    made.delete()
    made.settle()
    assert made.gone
