"""Under `apply: Auto` a ConfigMap that says something else than it did with the spec needs an approval."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.environment_plans import MODULES, index_address, spec_index
from tests.environment_world import World
from tests.unit.test_environment_life import ready_world

from firelift.api.environment.indexes import CompositeIndex
from firelift.environment.references import Holder, Reference, said

BY_DEVICE = CompositeIndex.model_validate(spec_index("telemetry", "device", "-time"))
BY_USER = CompositeIndex.model_validate(spec_index("telemetry", "user", "-time"))
WHY = "ConfigMap indexes says something else than when the spec was accepted"


def with_file(**changes: object) -> World:
    """An environment whose two indexes come from a ConfigMap, applied and ready."""
    made = ready_world(**changes)
    made.file = {"by-device": BY_DEVICE, "by-user": BY_USER}
    made.edit(terraform={"apply": "Auto", "timeoutSeconds": 600})
    assert later(made) == "Ready"
    made.removed.clear()
    return made


def later(made: World) -> str:
    """The reason when all that is being built is there."""
    made.settle(seconds=20)
    made.pass_time(made.build_seconds)
    return made.settle(seconds=20).reason


def test_an_index_that_leaves_the_config_map_alone_goes_when_somebody_has_approved_that() -> None:
    made = with_file()
    del made.file["by-user"]
    status = made.settle(seconds=20)
    assert status.reason == "AwaitingApproval"
    assert WHY in status.message
    assert made.removed == []
    made.approve_all()
    assert later(made) == "Ready"
    assert made.removed == [index_address("by-user")]
    made.file["by-user"] = BY_USER
    assert made.settle(seconds=20).reason == "AwaitingApproval", "what was approved is what was accepted now"


def test_one_that_says_again_what_it_said_asks_nobody() -> None:
    made = with_file()
    gone = made.file.pop("by-user")
    assert made.settle(seconds=20).reason == "AwaitingApproval"
    made.file["by-user"] = gone
    assert later(made) == "Ready"


def test_words_of_which_nothing_is_made_ask_nobody_neither_then_nor_for_the_next_repair() -> None:
    made = with_file()
    made.comment = "of the search page"
    assert later(made) == "Ready"
    made.real.pop(MODULES + index_address("by-user"))
    made.pass_time(made.environment.spec.terraform.drift_interval_seconds * 2)
    assert later(made) == "Ready"
    assert MODULES + index_address("by-user") in made.real


@pytest.mark.parametrize("steered", [{"suspend": False}, {"attempt": 2}])
def test_what_on_call_may_set_accepts_nothing(steered: dict[str, object]) -> None:
    made = with_file()
    made.edit(suspend=True)
    made.settle()
    del made.file["by-user"]
    made.edit(**{"suspend": False, **steered})
    status = made.settle(seconds=20)
    assert (status.reason, made.removed) == ("AwaitingApproval", [])


def _spec(made: World) -> None:
    made.edit(terraform={"apply": "Auto", "timeoutSeconds": 900})


def _by_hand(made: World) -> None:
    made.edit(terraform={"apply": "Manual"})


@pytest.mark.parametrize(("edit", "reason"), [(_spec, "Ready"), (_by_hand, "AwaitingApproval")])
def test_who_changes_the_spec_accepts_what_is_named_then(edit: Callable[[World], None], reason: str) -> None:
    made = with_file()
    del made.file["by-user"]
    edit(made)
    assert later(made) == reason
    assert made.status is not None
    assert WHY not in made.status.message


def test_an_index_that_stays_until_another_one_is_ready_goes_no_sooner_than_somebody_has_approved_it() -> None:
    made = with_file()
    made.building[MODULES + index_address("by-device")] = made.now + timedelta(seconds=300)
    del made.file["by-user"]
    assert made.settle(seconds=20).reason == "IndexesBuilding"
    made.pass_time(300)
    status = made.settle(seconds=20)
    assert (status.reason, made.removed) == ("AwaitingApproval", [])
    made.approve_all()
    assert later(made) == "Ready"
    assert made.removed == [index_address("by-user")]


def test_values_of_secrets_are_replaced_without_a_word() -> None:
    rules = Reference(Holder.CONFIG_MAP, "firestore-rules", "firestore.rules", "rules.fromConfigMap")
    key = Reference(Holder.SECRET, "app", "key", "secrets.api-key")
    first, second = said({rules: "a", key: "1"}), said({rules: "b", key: "2"})
    assert list(first) == ["key firestore.rules of ConfigMap firestore-rules (`rules.fromConfigMap`)"]
    assert first != second
    assert said({rules: "a", key: "2"}) == first
