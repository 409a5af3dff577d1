"""What a person reads of an object whose spec nobody can read."""

from __future__ import annotations

from typing import Any

import pytest

from firelift.kube.environments import ENVIRONMENTS, EnvironmentObject
from firelift.operator.ground.farewell import sentence

GROUND = {"project": {"id": "prod-1"}, "database": {"location": "nam5"}}


def unread(*, deleting: bool = True, **terraform: Any) -> EnvironmentObject:
    metadata = {"namespace": "team", "name": "prod", "uid": "u", "generation": 1, "resourceVersion": "7"}
    metadata |= {"deletionTimestamp": "2026-11-21T07:00:00Z"} if deleting else {}
    return ENVIRONMENTS.parse({"metadata": metadata, "spec": {"unknown": 1, "terraform": terraform, **GROUND}})


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (unread(deleting=False), "nothing is done until the manifest is corrected"),
        (unread(), "it is let go as soon as the run at work has ended, and nothing is destroyed"),
        (unread(deletionPolicy="Retain"), "it is let go as soon as the run at work has ended"),
        (unread(deletionPolicy="Destroy"), "kubectl patch firestoreenvironment prod -n team --type merge"),
        (unread(deletionPolicy="Perhaps"), "kubectl patch firestoreenvironment prod -n team --type merge"),
    ],
)
def test_it_says_what_is_wrong_and_what_becomes_of_the_object(seen: EnvironmentObject, words: str) -> None:
    assert "spec.unknown" in sentence(seen)
    assert words in sentence(seen)


def test_an_object_that_is_not_deleted_is_told_of_no_way_out() -> None:
    assert "kubectl" not in sentence(unread(deleting=False, deletionPolicy="Destroy"))
