"""A release on a cluster: the operator runs from its Deployment, under the chart's own rights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.chart.charts import NAMESPACE, Json
from tests.chart.release import Release
from tests.e2e.world import World, phase
from tests.waiting import eventually

from firelift.cli.main import cli
from firelift.sandbox.helm import HelmError
from firelift.sandbox.sandbox import Sandbox

MakeWorld = Callable[[], World]
_SLOWLY = {"maxWritesPerSecond": 20, "batchSize": 5}
_FROZEN = Path(__file__).parent / "firelift-0.1.0.tgz"
"""The chart of version 0.1.0, by `helm package charts/firelift`. The pods run the code of today, which writes what its
own custom resources know, with the rights that the code of today needs: until 0.1.0 is released, a change of those is
put into it; after that, never again."""

_EVERYTHING: Json = {
    "operator": {
        "podAnnotations": {"example.com/turn": "2"},
        "podLabels": {"example.com/team": "data"},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "system", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {"podAntiAffinity": {}},
        "priorityClassName": "system-cluster-critical",
    },
    "imagePullSecrets": ["pull"],
    "networkPolicy": {"restrictEgress": True},
    "terraform": {"secretNamespaces": [NAMESPACE]},
    "metrics": {"dashboard": {"create": True}},
}
"""Each value that a cluster without the Prometheus operator takes."""


_COMMANDS = {
    "abort x": 4,
    "approve x --yes": 4,
    "dead-letters x": 4,
    "env drift x": 4,
    "env plan x": 4,
    "explain x": 4,
    "get env/x": 4,
    "get x": 4,
    "list": 4,
    "list approvals -A": 4,
    "logs x": 4,
    "pause env/x": 4,
    "plan x": 4,
    "report x": 4,
    "resume x": 4,
    "retry x": 4,
    "revert x": 4,
    "status x": 4,
    "status x --watch": 4,
    "version": 0,
}


@pytest.mark.parametrize("line", _COMMANDS)
def test_before_a_release_each_command_of_the_plugin_says_what_is_missing(cluster: Sandbox, line: str) -> None:
    told = CliRunner().invoke(cli, [*line.split(), "--kubeconfig", str(cluster.kubeconfig), "--request-timeout", "60"])

    assert told.exit_code == _COMMANDS[line], told.stderr
    said = told.stderr or told.stdout.splitlines()[-1]
    assert "install its CRDs (the chart brings them)" in said
    assert (said.count("\n"), "Traceback" in said) == (1 if told.stderr else 0, False)


def test_an_upgrade_from_the_first_chart_keeps_a_rollout_running(release: Release, make_world: MakeWorld) -> None:
    notes = release.install(_FROZEN)
    pods = release.pods()

    assert "kubectl rollout status deployment/firelift-operator -n firelift-system" in notes
    assert {pod["spec"]["serviceAccountName"] for pod in pods} == {"firelift-operator"}
    assert len({pod["status"]["podIP"] for pod in pods}) == len(pods) == 2

    world = make_world()
    world.seed(400)
    world.apply(
        world.manifest([phase("ten-percent", 10), phase("everyone", 100)], pace=_SLOWLY | {"maxWritesPerSecond": 10})
    )
    world.until_fact(lambda: len(world.target()) > 20, "the first documents")
    leader, before = release.leader(), names(release)

    release.upgrade(**_EVERYTHING)

    world.until_fact(lambda: names(release).isdisjoint(before), "the pods of before are gone")
    world.until_fact(lambda: release.leader() not in ("", leader), "another replica leads")
    assert len(world.target()) < 400
    world.until_reason("Completed", seconds=120)
    assert world.target() == world.expected(100)
    assert world.written_once()


def test_an_uninstalled_operator_leaves_runs_on_hold_and_the_next_one_completes_them(
    release: Release, make_world: MakeWorld, cluster: Sandbox
) -> None:
    release.install()
    world, other = make_world(), make_world()
    for each in (world, other):
        each.seed(200)
        each.apply(each.manifest([phase("everyone", 100)], pace=_SLOWLY))
    for each in (world, other):
        each.until_fact(lambda each=each: len(each.target()) > 5, "the first documents")  # type: ignore[misc] # of this turn of the loop

    release.uninstall("--wait")

    for each in (world, other):
        each.until_fact(lambda each=each: (each.workers(), each.jobs()) == ([], []), "no worker")  # type: ignore[misc] # as above
        standing = each.target()
        assert 5 < len(standing) < 200
        assert each.target() == standing
        assert "finalizers" not in (each.get() or {})["metadata"]
        assert "the operator has been uninstalled" in each.status()["message"]
        assert migrating(each) == ["Hold"]
    assert release.pods() == []
    assert len(cluster.kubectl("get", "crd", "-o", "name").split()) == 3
    cluster.kubectl("get", "validatingadmissionpolicy", "approvals.firelift.dev")

    cluster.kubectl("delete", "migrationrollouts", other.name, "-n", other.namespace, "--timeout=20s")
    assert other.get() is None

    release.install()
    world.until_reason("Completed", seconds=90)
    assert world.target() == world.expected(100)
    assert world.written_once()


def names(release: Release) -> set[str]:
    """Of the operator's pods."""
    return {pod["metadata"]["name"] for pod in release.pods()}


def migrating(world: World) -> list[str]:
    """The states of the runs that migrate."""
    documents = (each.to_dict() or {} for each in world.database.collection_group("firelift_runs").stream())
    return [each["state"] for each in documents if json.loads(each.get("plan", "{}")).get("kind") == "migrate"]


def test_an_operator_with_a_deletion_to_finish_is_not_uninstalled(release: Release, make_world: MakeWorld) -> None:
    release.install(replicas=1)
    world = make_world()
    world.seed(200)
    before = world.source()
    spec = {"pace": _SLOWLY, "deletionPolicy": "Revert"}
    world.apply(world.manifest([phase("everyone", 100)], **spec))
    world.until_fact(lambda: len(world.target()) > 60, "documents that take a while to bring back")
    world.delete()

    with pytest.raises(HelmError) as refused:
        release.uninstall()

    assert f"MigrationRollout {world.namespace}/logs: being deleted" in str(refused.value)
    assert release.installed()
    world.until_fact(lambda: world.get() is None, "the revert ends, and the object is gone", seconds=90)
    assert (world.target(), world.source()) == ({}, before)
    release.uninstall("--wait")
    assert release.sandbox.kubectl("get", "pods", "-n", NAMESPACE, "-o", "name") == ""


def test_an_operator_of_one_namespace_works_with_rights_in_that_one_alone(
    release: Release, make_world: MakeWorld, cluster: Sandbox
) -> None:
    world, foreign = make_world(), make_world()
    release.install(
        replicas=1,
        watchNamespaces=[world.namespace],
        clusterID="prod",
        worker={"serviceAccountName": "firelift-worker", "serviceAccounts": [{"namespace": world.namespace}]},
    )
    for each in (foreign, world):
        each.seed(100)
        each.apply(each.manifest([phase("everyone", 100)]))
    listed = ("get", "jobs", "-n", world.namespace, "-o", "json")
    jobs = eventually(lambda: json.loads(cluster.kubectl(*listed))["items"])
    # While it is at work: behind its end the ledger is nobody's.
    ledger = world.database.document(f"_firelift/{world.namespace}.logs").get().to_dict() or {}
    assert "prod" in json.dumps(ledger, default=str)

    world.until_reason("Completed")

    assert {job["spec"]["template"]["spec"]["serviceAccountName"] for job in jobs} == {"firelift-worker"}
    assert world.target() == world.expected(100)
    assert foreign.status()["reason"] == "NotObserved"
    assert foreign.target() == {}
    release.uninstall("--wait")
    assert "finalizers" not in (world.get() or {})["metadata"]
