"""Two environments with one state: the older one keeps it, and of the other one nothing is planned."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.environment_world import START, World, world

from firelift.environment.neighbours import Neighbour, elder

BACKEND: dict[str, Any] = {"gcs": {"bucket": "acme-state", "prefix": "prod"}}


def neighbour(name: str, prefix: str, *, after: int = 0, bucket: str = "acme-state") -> Neighbour:
    return Neighbour("shop", name, f"uid-{name}", START + timedelta(seconds=after), bucket, prefix)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("prod", "prod"),
        ("prod/", "prod"),
        ("a//prod", "a/prod"),
        ("a/./prod", "a/prod"),
        ("a/../prod", "prod"),
        ("", "shop/one"),
    ],
)
def test_the_same_place_is_the_same_however_it_is_spelt(first: str, second: str) -> None:
    one, two = neighbour("one", first), neighbour("two", second, after=1)
    assert one.place == two.place
    assert elder("uid-two", [two, one]) == one
    assert elder("uid-one", [two, one]) is None


def test_of_two_that_were_made_in_the_same_second_one_is_the_older_for_both() -> None:
    one, two = neighbour("one", "prod"), replace(neighbour("two", "prod"), uid="a-smaller-uid")
    assert elder("uid-one", [one, two]) is None
    assert elder("a-smaller-uid", [one, two]) == one


@pytest.mark.parametrize(
    "other", [neighbour("one", ""), neighbour("one", "prod/one"), neighbour("one", "prod", bucket="another")]
)
def test_another_place_is_nobody_elses(other: Neighbour) -> None:
    assert elder("uid-two", [other, neighbour("two", "prod", after=1)]) is None


def shared(**terraform: Any) -> World:
    made = world(terraform={"apply": "Auto", "backend": BACKEND, **terraform})
    made.elder = neighbour("one", "prod")
    return made


def test_of_the_younger_one_nothing_is_planned_and_the_status_names_the_field_and_the_older_one() -> None:
    made = shared()
    status = made.settle()
    assert status.reason == "InvalidSpec"
    assert "`terraform.backend.gcs`: gs://acme-state/prod is the state of environment shop/one" in status.message
    assert "create it with another `prefix`" in status.message
    assert made.begun == set()
    made.elder = None
    assert made.settle(seconds=20).reason == "Ready"


def test_the_younger_one_may_go_when_it_takes_nothing_along() -> None:
    made = shared(deletionPolicy="Destroy")
    made.delete()
    made.settle()
    assert made.gone


def test_the_younger_one_destroys_nothing_of_what_is_in_the_state() -> None:
    made = world(terraform={"apply": "Auto", "backend": BACKEND, "deletionPolicy": "Destroy"})
    made.settle(seconds=20)
    made.elder = neighbour("one", "prod")
    made.delete()
    status = made.settle()
    assert status.reason == "InvalidSpec"
    assert "to let go of it and destroy nothing: kubectl patch" in status.message
    made.edit(terraform={"backend": BACKEND, "deletionPolicy": "Retain"})
    made.settle()
    assert made.gone
