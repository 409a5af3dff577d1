"""The rights that the chart gives: those of docs/rights.md and no others, and what they deny on a real API server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config
from tests.chart.charts import Chart, Json

from firelift.sandbox.sandbox import Sandbox

DOCUMENT = Path(__file__).parents[2] / "docs" / "rights.md"
SYSTEM, WATCHED, FOREIGN = "rights-system", "rights-shop", "rights-gym"
PREFIX = "rights-"
_ROLES = {"Role", "ClusterRole"}
_BINDINGS = {"RoleBinding", "ClusterRoleBinding"}
_OF_PEOPLE = ("firelift-view", "firelift-edit", "firelift-approver", "firelift-on-call")

Right = tuple[str, str, frozenset[str]]
"""A role, a resource, verbs."""


def given(objects: Iterable[Json]) -> set[Right]:
    """What the roles say."""
    roles = (each for each in objects if each["kind"] in _ROLES and each["metadata"]["name"] not in _OF_PEOPLE)
    return {right for role in roles for right in _of(role)}


def _of(role: Json) -> Iterator[Right]:
    for rule in role["rules"]:
        for resource in rule["resources"]:
            (group,) = rule["apiGroups"]
            names = "".join(f" {name}" for name in rule.get("resourceNames", ()))
            full = f"{group}/{resource}" if group else resource
            yield f"{role['kind']}/{role['metadata']['name']}", full + names, frozenset(rule["verbs"])


def reviewed() -> dict[Right, str]:
    """The rows of the document, each with its reason."""
    rows = [line.strip("| \n").split(" | ") for line in DOCUMENT.read_text(encoding="utf-8").splitlines()]
    return {(row[0], row[1], frozenset(row[2].split(", "))): row[3] for row in rows if "Role/" in row[0]}


def test_the_chart_gives_the_rights_of_the_document_and_no_others(chart: Chart) -> None:
    objects = chart.render(terraform={"secretNamespaces": ["shop"]})

    assert given(objects) == set(reviewed())
    assert all(len(why) > 5 for why in reviewed().values())


def test_no_right_is_a_wildcard_and_no_role_of_people_reads_secrets(chart: Chart) -> None:
    rules = [rule for each in chart.render() if each["kind"] in _ROLES for rule in each["rules"]]

    assert len(rules) > 10
    assert not any("*" in rule[part] for rule in rules for part in ("apiGroups", "resources", "verbs"))
    people = [each for each in chart.render() if each["metadata"]["name"] in _OF_PEOPLE]
    assert {group for each in people for rule in each["rules"] for group in rule["apiGroups"]} == {"firelift.dev"}


def test_workers_are_bound_to_nothing(chart: Chart) -> None:
    worker = {"serviceAccountName": "firelift-worker", "serviceAccounts": [{"namespace": "shop"}]}
    bindings = [each for each in chart.render(worker=worker) if each["kind"] in _BINDINGS]

    assert bindings
    assert {subject["name"] for each in bindings for subject in each["subjects"]} == {"firelift-operator"}


@dataclass(frozen=True)
class Account:
    """A ServiceAccount, and the API server that is asked what it may."""

    api: client.AuthorizationV1Api
    name: str
    groups: Sequence[str] = ("system:serviceaccounts", f"system:serviceaccounts:{SYSTEM}", "system:authenticated")

    def may(self, right: str) -> bool:
        """`verb resource[.group][/sub][:name] [namespace]`; without a namespace: in the whole cluster."""
        verb, what, namespace = (*right.split(" "), "")[:3]
        full, _, name = what.partition(":")
        full, _, sub = full.partition("/")
        plural, _, group = full.partition(".")
        asked = client.V1ResourceAttributes(
            verb=verb, group=group, resource=plural, subresource=sub, name=name, namespace=namespace
        )
        user = f"system:serviceaccount:{SYSTEM}:{self.name}"
        spec = client.V1SubjectAccessReviewSpec(user=user, groups=list(self.groups), resource_attributes=asked)
        answer: Any = self.api.create_subject_access_review(
            client.V1SubjectAccessReview(spec=spec), _request_timeout=30.0
        )
        return bool(answer.status.allowed)


@pytest.fixture(scope="module")
def reviews(sandbox: Sandbox) -> Iterator[client.AuthorizationV1Api]:
    configuration = client.Configuration()
    config.load_kube_config(  # type: ignore[no-untyped-call] # the official client is typed only in part
        str(sandbox.kubeconfig), client_configuration=configuration
    )
    with client.ApiClient(configuration) as api:
        yield client.AuthorizationV1Api(api)


def rendered(chart: Chart, **values: Any) -> Iterator[Json]:
    """The objects of a release in this test's own namespace."""
    return filter(None, yaml.safe_load_all(chart.text(f"--namespace={SYSTEM}", **values)))


def bind(sandbox: Sandbox, objects: Iterable[Json]) -> None:
    """Give these rights under names of this test's own: others have a release on the same cluster."""
    for namespace in (SYSTEM, WATCHED, FOREIGN):
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        sandbox.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    rights = [each for each in objects if each["kind"] in _ROLES | _BINDINGS and not _is_hook(each)]
    sandbox.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(map(_renamed, rights)))


def _is_hook(each: Json) -> bool:
    return "helm.sh/hook" in each["metadata"].get("annotations", {})


def _renamed(each: Json) -> Json:
    # Without labels: one that joined the cluster's own roles would widen them for other tests.
    metadata = {key: value for key, value in each["metadata"].items() if key != "labels"}
    renamed = {**each, "metadata": {**metadata, "name": PREFIX + metadata["name"]}}
    if "roleRef" in each:
        renamed["roleRef"] = {**each["roleRef"], "name": PREFIX + each["roleRef"]["name"]}
    return renamed


@pytest.fixture
def wide(sandbox: Sandbox, chart: Chart, reviews: client.AuthorizationV1Api) -> Iterator[Account]:
    """The operator of a whole cluster."""
    bind(sandbox, rendered(chart, operator={"serviceAccount": {"name": "wide"}}))
    yield Account(reviews, "wide")
    sandbox.kubectl("delete", "clusterrolebinding", f"{PREFIX}firelift-operator", "--ignore-not-found")


@pytest.fixture
def narrow(sandbox: Sandbox, chart: Chart, reviews: client.AuthorizationV1Api) -> Account:
    """The operator of one namespace."""
    values = {"watchNamespaces": [WATCHED], "operator": {"serviceAccount": {"name": "narrow"}}}
    bind(sandbox, rendered(chart, **values))
    return Account(reviews, "narrow")


ALLOWED = (
    f"patch migrationrollouts.firelift.dev/status {WATCHED}",
    f"create jobs.batch {WATCHED}",
    f"patch configmaps:app-flags {WATCHED}",
    f"get secrets {SYSTEM}",
    f"update leases.coordination.k8s.io {SYSTEM}",
    "get namespaces:kube-system",
)
DENIED = (
    # Secrets are its own namespace's.
    *(f"{verb} secrets {WATCHED}" for verb in ("get", "list", "watch", "create", "update", "patch", "delete")),
    "get secrets kube-system",
    f"watch secrets {SYSTEM}",
    f"deletecollection secrets {SYSTEM}",
    # Whoever may make pods, enter them or make tokens is whoever lives there.
    *(f"{verb} pods {where}" for verb in ("create", "patch", "delete") for where in (WATCHED, SYSTEM)),
    *(f"create pods/{sub} {WATCHED}" for sub in ("exec", "attach", "portforward", "ephemeralcontainers", "eviction")),
    f"get pods/log {WATCHED}",
    *(f"create serviceaccounts/token {where}" for where in (WATCHED, SYSTEM)),
    *(f"impersonate {who}" for who in ("users", "groups", "serviceaccounts")),
    # Rights are given by people.
    *(f"{verb} clusterroles.rbac.authorization.k8s.io" for verb in ("create", "patch", "bind", "escalate")),
    *(f"{verb} roles.rbac.authorization.k8s.io {SYSTEM}" for verb in ("create", "patch", "bind", "escalate")),
    f"create rolebindings.rbac.authorization.k8s.io {SYSTEM}",
    "create clusterrolebindings.rbac.authorization.k8s.io",
    # What is wanted and who agreed to it are not the operator's to say.
    *(f"{verb} migrationrollouts.firelift.dev {WATCHED}" for verb in ("create", "update", "delete", "approve")),
    *(f"{verb} migrationrollouts.firelift.dev {WATCHED}" for verb in ("suspend", "revert", "abort", "retry")),
    *(f"{verb} firestoreenvironments.firelift.dev {WATCHED}" for verb in ("create", "update", "delete", "approve")),
    *(f"{verb} migrationapprovals.firelift.dev {WATCHED}" for verb in ("get", "create", "update", "patch", "delete")),
    # A Job is never changed, and nothing is swept away.
    *(f"{verb} jobs.batch {WATCHED}" for verb in ("update", "patch", "deletecollection")),
    *(f"{verb} configmaps {WATCHED}" for verb in ("list", "watch", "update", "delete", "deletecollection")),
    f"delete events.events.k8s.io {WATCHED}",
    *(f"{verb} leases.coordination.k8s.io {WATCHED}" for verb in ("get", "create", "update", "delete")),
    f"patch deployments.apps {SYSTEM}",
    f"patch deployments.apps/scale {SYSTEM}",
    # The cluster's own.
    *(f"{verb} namespaces" for verb in ("list", "create", "patch", "delete")),
    *(f"{verb} nodes" for verb in ("get", "list", "patch")),
    *(f"{verb} customresourcedefinitions.apiextensions.k8s.io" for verb in ("get", "create", "patch", "delete")),
    "patch validatingadmissionpolicies.admissionregistration.k8s.io",
    "delete validatingadmissionpolicybindings.admissionregistration.k8s.io",
    "create mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "create certificatesigningrequests.certificates.k8s.io",
    "create subjectaccessreviews.authorization.k8s.io",
    "create tokenreviews.authentication.k8s.io",
)
ELSEWHERE = (
    "list migrationrollouts.firelift.dev",
    *(f"{verb} migrationrollouts.firelift.dev {FOREIGN}" for verb in ("get", "list", "watch", "patch")),
    f"patch migrationrollouts.firelift.dev/status {FOREIGN}",
    f"list migrationapprovals.firelift.dev {FOREIGN}",
    *(f"{verb} jobs.batch {FOREIGN}" for verb in ("get", "list", "create", "delete")),
    *(f"{verb} configmaps {FOREIGN}" for verb in ("get", "create", "patch")),
    f"list pods {FOREIGN}",
    f"create events.events.k8s.io {FOREIGN}",
    f"get namespaces:{FOREIGN} {FOREIGN}",
)
"""Beyond the namespaces that it looks after."""


def test_an_operator_of_a_whole_cluster_is_denied_all_that_it_does_not_need(wide: Account) -> None:
    assert [right for right in ALLOWED if not wide.may(right)] == []
    assert [right for right in DENIED if wide.may(right)] == []
    assert wide.may(f"list migrationrollouts.firelift.dev {FOREIGN}")


def test_an_operator_of_some_namespaces_is_denied_all_others(narrow: Account) -> None:
    assert [right for right in ALLOWED if not narrow.may(right)] == []
    assert [right for right in (*DENIED, *ELSEWHERE) if narrow.may(right)] == []


@pytest.mark.usefixtures("wide")
def test_a_worker_may_do_nothing(reviews: client.AuthorizationV1Api) -> None:
    worker = Account(reviews, "firelift-worker")
    assert [right for right in (*ALLOWED, *DENIED, *ELSEWHERE) if worker.may(right)] == []
