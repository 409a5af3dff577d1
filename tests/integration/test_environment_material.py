"""What an environment names in the cluster, read on a real API server: as whom Terraform acts, with which values."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest
import pytest_asyncio

from firelift.api.digest import digest
from firelift.api.environment.spec import EnvironmentSpec
from firelift.environment.observation import Environment
from firelift.kube.client import Cluster
from firelift.kube.owned import encoded
from firelift.operator.ground.material import Material, gather

HOME = "firelift-system"
KEY = {
    "type": "service_account",
    "project_id": "prod-1",
    "private_key_id": "7",
    "private_key": "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n",
    "client_email": "terraform@prod-1.iam.gserviceaccount.com",
    "client_id": "1",
    "token_uri": "https://oauth2.googleapis.com/token",
}
OWN = "ya29.own"
EMPTIED = "GOOGLE_APPLICATION_CREDENTIALS"


class Team:
    """A namespace of its own."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    async def put(self, kind: str, name: str, **data: dict[str, str]) -> None:
        """Create a ConfigMap or a Secret."""
        plural = f"{kind.lower()}s"
        body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **data}
        await self.cluster.create(f"/api/v1/namespaces/{self.namespace}/{plural}", body)

    async def gathered(self, **spec: Any) -> Material:
        """What an environment of this namespace is planned from."""
        found = EnvironmentSpec.model_validate({"project": {"id": "prod-1"}, "database": {"location": "nam5"}, **spec})
        return await gather(self.cluster, Environment(self.namespace, "prod", "u", 1, found), {}, HOME)


@pytest_asyncio.fixture
async def team(cluster: Cluster) -> Team:
    namespace = f"team-{secrets.token_hex(4)}"
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    return Team(cluster, namespace)


def terraform(**more: Any) -> dict[str, Any]:
    return {"terraform": {"credentials": {"secretName": "google"}, **more}}


RULES = {"rules": {"fromConfigMap": {"name": "firestore-rules"}}}


async def test_whoever_names_credentials_acts_with_them_whatever_else_is_missing(team: Team) -> None:
    await team.put("Secret", "google", data={"access_token": encoded(f"{OWN}\n")})
    whole = await team.gathered(**terraform())
    without = await team.gathered(**terraform(), **RULES)
    endangered = await team.gathered(**terraform(backend={"kubernetes": {"namespace": team.namespace}}))
    assert whole.inputs.digest
    assert "ConfigMap firestore-rules" in without.inputs.missing
    assert "go down with the namespace" in endangered.inputs.invalid
    for material in (whole, without, endangered):
        assert material.identity is not None
        assert material.identity["GOOGLE_OAUTH_ACCESS_TOKEN"] == OWN
        assert material.identity[EMPTIED] == ""


async def test_whoever_names_no_credentials_acts_as_the_operator(team: Team) -> None:
    assert (await team.gathered()).identity == {}


async def test_credentials_that_are_named_and_not_there_make_nobody_act(team: Team) -> None:
    absent = await team.gathered(**terraform())
    await team.put("Secret", "google", data={"other": encoded("x")})
    for material in (absent, await team.gathered(**terraform())):
        assert material.identity is None
        told = "not found: key credentials.json or access_token of Secret google (`terraform.credentials`)"
        assert told in material.inputs.missing
        assert told in material.inputs.unidentified
        assert material.rendered is None


async def test_a_key_of_a_service_account_is_taken_without_what_it_does_not_need(team: Team) -> None:
    await team.put("Secret", "google", data={"credentials.json": encoded(json.dumps({**KEY, "auth_uri": "https://x"}))})
    material = await team.gathered(**terraform())
    assert material.identity is not None
    assert json.loads(material.identity["GOOGLE_CREDENTIALS"]) == KEY
    assert "hunter2" not in repr(material)


async def test_credentials_that_could_do_more_than_sign_in_are_refused(team: Team) -> None:
    executes = {"type": "external_account", "credential_source": {"executable": {"command": "/bin/sh"}}}
    await team.put("Secret", "google", data={"credentials.json": encoded(json.dumps(executes))})
    material = await team.gathered(**terraform())
    assert material.identity is None
    assert "`type` of key credentials.json of Secret google (`terraform.credentials`)" in material.inputs.invalid
    assert material.inputs.unidentified == material.inputs.invalid


@pytest.mark.parametrize("data", [{"key": encoded(b"\xff\xfe\x00")}, {"key": encoded(b"caf\xe9")}])
async def test_a_secret_that_is_no_text_is_refused_with_its_key_and_the_remedy(
    team: Team, data: dict[str, str]
) -> None:
    await team.put("Secret", "app", data=data)
    material = await team.gathered(secrets={"api-key": {"valueFrom": {"name": "app", "key": "key"}}})
    assert "key key of Secret app (`secrets.api-key`)" in material.inputs.invalid
    assert "base64" in material.inputs.invalid


async def test_a_secret_without_a_value_is_waited_for(team: Team) -> None:
    await team.put("Secret", "app", data={"key": ""})
    material = await team.gathered(secrets={"api-key": {"valueFrom": {"name": "app", "key": "key"}}})
    assert material.inputs.missing.startswith("key key of Secret app (`secrets.api-key`) is empty")
    assert material.rendered is None


async def test_bytes_that_nobody_named_stand_in_nobodys_way(team: Team) -> None:
    await team.put("Secret", "app", data={"key": encoded("text"), "keystore": encoded(b"\xff\xfe")})
    material = await team.gathered(secrets={"api-key": {"valueFrom": {"name": "app", "key": "key"}}})
    assert material.rendered is not None
    assert material.rendered.secrets["secret_values"] == {"api-key": "text"}


async def test_a_file_that_is_no_text_is_refused_as_that(team: Team) -> None:
    await team.put("ConfigMap", "firestore-rules", binaryData={"firestore.rules": encoded(b"\xff")})
    material = await team.gathered(**RULES)
    assert "key firestore.rules of ConfigMap firestore-rules (`rules.fromConfigMap`)" in material.inputs.invalid


async def test_what_a_config_map_says_is_known_by_its_digest(team: Team) -> None:
    await team.put("ConfigMap", "firestore-rules", data={"firestore.rules": "rules_version = '2';"})
    material = await team.gathered(**RULES)
    assert material.inputs.said == {
        "key firestore.rules of ConfigMap firestore-rules (`rules.fromConfigMap`)": digest("rules_version = '2';")
    }


async def test_nothing_of_another_namespace_is_read(team: Team, cluster: Cluster) -> None:
    other = Team(cluster, f"{team.namespace}-other")
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": other.namespace}})
    await other.put("Secret", "google", data={"access_token": encoded("ya29.theirs")})
    await other.put("Secret", "app", data={"key": encoded("theirs")})
    await other.put("ConfigMap", "firestore-rules", data={"firestore.rules": "theirs"})
    await other.put("ConfigMap", "firestore-indexes", data={"firestore.indexes.json": "{}"})
    pager = {"type": "pagerduty", "secretLabels": {"service_key": {"name": "app", "key": "key"}}}
    named = {
        **RULES,
        "secrets": {"api-key": {"valueFrom": {"name": "app", "key": "key"}}},
        "indexes": {"fromConfigMap": {"name": "firestore-indexes"}},
        "observability": {"channels": {"pager": pager}},
    }
    assert "Secret google" in (await team.gathered(**named, **terraform())).inputs.missing
    missing = (await team.gathered(**named)).inputs.missing
    fields = ("rules.fromConfigMap", "secrets.api-key", "indexes.fromConfigMap", "channels.pager.secretLabels")
    assert [field for field in fields if field not in missing] == []


async def test_an_environment_in_the_operators_namespace_reads_nothing_there(cluster: Cluster) -> None:
    namespace = f"home-{secrets.token_hex(4)}"
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    home = Team(cluster, namespace)
    await home.put("Secret", "applied-other", data={"content": encoded("the bundle of somebody else")})
    spec = {
        "project": {"id": "prod-1"},
        "database": {"location": "nam5"},
        "secrets": {"api-key": {"valueFrom": {"name": "applied-other", "key": "content"}}},
    }
    environment = Environment(namespace, "prod", "u", 1, EnvironmentSpec.model_validate(spec))
    material = await gather(cluster, environment, {}, namespace)
    assert "the operator's own" in material.inputs.invalid
    assert material.rendered is None
    assert material.read == {}
