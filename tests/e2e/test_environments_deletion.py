"""An environment that is to be destroyed and cannot be: it says how it is let go, and that is enough."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.ground import Ground
from tests.e2e.objects import GROUP

from firelift.sandbox.kubectl import KubectlError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "environments.md"


def test_a_namespace_that_goes_with_an_environment_to_be_destroyed_says_how_to_let_it_go(ground: Ground) -> None:
    ground.ready(terraform={"apply": "Auto", "deletionPolicy": "Destroy"})
    ground.sandbox.kubectl("delete", "namespace", ground.namespace, "--wait=false")
    asked = ground.until_reason("AwaitingApproval")
    with pytest.raises(KubectlError, match="being terminated"):
        ground.approve()
    way_out = asked["message"].partition("kubectl ")[2].partition(" (")[0]
    ground.sandbox.kubectl(*shlex.split(way_out))
    ground.until_fact(lambda: ground.get() is None, "the object is gone")
    assert len(ground.databases()) == 1
    assert [name.partition("-")[0] for name in ground.kept()] == ["applied", "tfstate"]


@pytest.fixture
def unknown_field(ground: Ground) -> Iterator[str]:
    """A field that the API server takes and the operator does not know."""
    name, kubectl = "fromALaterVersion", ground.sandbox.kubectl
    place = f"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/{name}"
    crd = ("patch", "crd", f"{ground.plural}.{GROUP}", "--type=json", "-p")
    kubectl(*crd, json.dumps([{"op": "add", "path": place, "value": {"type": "string", "maxLength": 32}}]))
    ground.until_fact(lambda: name in kubectl("explain", f"{ground.plural}.spec"), "the field is served")
    yield name
    kubectl(*crd, json.dumps([{"op": "remove", "path": place}]))


def test_an_object_that_nobody_can_read_is_let_go(ground: Ground, unknown_field: str) -> None:
    ground.ready(terraform={"apply": "Auto", "deletionPolicy": "Destroy"})
    ground.patch(**{unknown_field: "of a later version"})
    ground.until_reason("InvalidSpec")
    ground.delete()
    told = ground.until(lambda status: "kubectl" in status["message"], "the way out")
    assert unknown_field in told["message"]
    ground.sandbox.kubectl(*shlex.split(told["message"].partition("kubectl ")[2].partition(" (")[0]))
    ground.until_fact(lambda: ground.get() is None, "the object is gone")
    assert len(ground.databases()) == 1
    assert [name.partition("-")[0] for name in ground.kept()] == ["applied", "tfstate"]


def test_a_state_in_a_namespace_out_of_reach_keeps_nobody_and_the_page_says_what_role_it_needs(ground: Ground) -> None:
    other = f"{ground.namespace}-states"
    ground.sandbox.kubectl("create", "namespace", other)
    elsewhere = {"apply": "Auto", "backend": {"kubernetes": {"namespace": other}}}
    ground.apply(ground.manifest(terraform=elsewhere))
    assert "forbidden" in ground.until_reason("PlanFailed")["message"]
    ground.delete()
    ground.until_fact(lambda: ground.get() is None, "the object is gone")
    for command in re.findall(r"^\$ kubectl (create role.* firelift-state .*)$", PAGE.read_text(), re.MULTILINE):
        ground.sandbox.kubectl(*shlex.split(command.replace("-n states", f"-n {other}")))
    ground.ready(terraform={**elsewhere, "deletionPolicy": "Destroy"})
    states = ground.sandbox.kubectl("get", "secrets", "-n", other, "-o", "name")
    assert "tfstate" in states
    ground.delete()
    ground.approve()
    ground.until(lambda status: "with all its documents" in status["message"], "the second plan")
    ground.approve()
    ground.until_fact(lambda: ground.get() is None, "the object is gone")
    assert ground.sandbox.kubectl("get", "secrets", "-n", other, "-o", "name") == ""
