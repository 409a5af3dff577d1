"""What the chart makes of its values."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from tests.chart.charts import NAMESPACE, Chart, Json, of_kind, only

from firelift.api import crd
from firelift.operator.settings import Settings
from firelift.sandbox.helm import CHART

_CRD = "CustomResourceDefinition"
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
_CLUSTER_WIDE = {
    "ClusterRole",
    "ClusterRoleBinding",
    _CRD,
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}


@pytest.fixture(scope="module")
def plain(chart: Chart) -> list[Json]:
    return chart.render()


def _pod(objects: list[Json]) -> Json:
    pod: Json = only(objects, "Deployment")["spec"]["template"]["spec"]
    return pod


def _environment(objects: list[Json]) -> dict[str, Any]:
    (container,) = _pod(objects)["containers"]
    return {each["name"]: each["value"] for each in container["env"]}


def _annotations(thing: Json) -> dict[str, str]:
    found: dict[str, str] = thing["metadata"].get("annotations", {})
    return found


# The custom resources


@pytest.mark.parametrize("keep", [True, False])
def test_a_rendered_custom_resource_is_the_models_own_but_for_its_metadata(chart: Chart, keep: bool) -> None:  # noqa: FBT001  # a parameter of the test
    rendered = {each["metadata"]["name"]: each for each in of_kind(chart.render(crds={"keep": keep}), _CRD)}
    wanted = {each["metadata"]["name"]: each for each in map(yaml.safe_load, crd.files().values())}

    assert rendered.keys() == wanted.keys()
    for name, each in rendered.items():
        assert _annotations(each) == ({"helm.sh/resource-policy": "keep"} if keep else {})
        assert each["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"
        assert {**each, "metadata": {"name": name}} == wanted[name]


def test_custom_resources_are_left_out_when_somebody_else_installs_them(chart: Chart) -> None:
    assert of_kind(chart.render(crds={"install": False}), _CRD) == []


# Rights


def test_a_cluster_wide_operator_has_one_cluster_role_for_all_namespaces(plain: list[Json]) -> None:
    role = only(plain, "ClusterRole", "firelift-operator")
    binding = only(plain, "ClusterRoleBinding", "firelift-operator")

    assert binding["roleRef"]["name"] == "firelift-operator"
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "firelift-operator", "namespace": NAMESPACE},
    ]
    assert {each["metadata"]["namespace"] for each in of_kind(plain, "Role")} == {NAMESPACE}
    assert not any("secrets" in rule["resources"] for rule in role["rules"])


def test_an_operator_of_some_namespaces_has_the_same_rights_there_and_no_others(
    chart: Chart, plain: list[Json]
) -> None:
    objects = chart.render(watchNamespaces=["shop", "gym"], clusterID="prod")
    wide = only(plain, "ClusterRole", "firelift-operator")["rules"]
    watched = of_kind(objects, "Role", "firelift-operator-watched")

    assert {each["metadata"]["namespace"]: each["rules"] for each in watched} == {"shop": wide, "gym": wide}
    assert of_kind(objects, "ClusterRoleBinding") == []
    assert _environment(objects)["FIRELIFT_NAMESPACES"] == "shop,gym"
    assert _environment(objects)["FIRELIFT_CLUSTER_ID"] == "prod"


def test_a_team_without_rights_in_the_cluster_can_install_an_operator_of_its_own(chart: Chart) -> None:
    objects = chart.render(
        watchNamespaces=["shop"],
        clusterID="prod",
        crds={"install": False},
        userRoles={"create": False},
        approvalPolicy={"create": False},
        onCallPolicy={"create": False},
        tenancy={"create": False},
    )

    assert [each["kind"] for each in objects if each["kind"] in _CLUSTER_WIDE] == []
    assert {each["metadata"]["namespace"] for each in objects} == {NAMESPACE, "shop"}


def test_without_a_cluster_id_an_operator_of_some_namespaces_may_read_the_one_uid_that_it_needs(chart: Chart) -> None:
    objects = chart.render(watchNamespaces=["shop"])
    (binding,) = of_kind(objects, "ClusterRoleBinding")
    role = only(objects, "ClusterRole", binding["roleRef"]["name"])

    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["namespaces"], "resourceNames": ["kube-system"], "verbs": ["get"]}
    ]


def test_what_a_namespace_may_touch_is_asked_by_api_server_and_operator_alike(chart: Chart, plain: list[Json]) -> None:
    required = chart.render(tenancy={"required": True})
    texts = [json.dumps(of_kind(each, "ValidatingAdmissionPolicy")) for each in (plain, required)]

    assert [_environment(each)["FIRELIFT_TENANCY_REQUIRED"] for each in (plain, required)] == ["false", "true"]
    assert ["true || 'firelift.dev/databases' in variables.notes" in text for text in texts] == [False, True]
    assert {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]} in (
        only(plain, "ClusterRole", "firelift-operator")["rules"]
    )


def test_an_operator_of_some_namespaces_speaks_for_these_only(chart: Chart, plain: list[Json]) -> None:
    some = chart.render(watchNamespaces=["shop", "gym"], worker={"serviceAccountName": "mover"})
    bound = {each["metadata"]["name"]: each["spec"] for each in of_kind(some, "ValidatingAdmissionPolicyBinding")}
    everywhere = {each["metadata"]["name"] for each in of_kind(plain, "ValidatingAdmissionPolicyBinding")}

    name = f"rollouts.{NAMESPACE}.tenancy.firelift.dev"
    (expression,) = bound[name]["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert expression == {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["shop", "gym"]}
    assert "rollouts.tenancy.firelift.dev" in everywhere
    assert "variables.account in ['', 'mover']" in json.dumps(only(some, "ValidatingAdmissionPolicy", name))


def test_secrets_of_environments_are_opened_by_namespace(chart: Chart) -> None:
    objects = chart.render(terraform={"secretNamespaces": ["shop"]})

    assert only(objects, "Role", "firelift-operator-secrets")["metadata"]["namespace"] == "shop"
    assert only(objects, "RoleBinding", "firelift-operator-secrets")["subjects"][0]["namespace"] == NAMESPACE


def test_view_and_edit_join_the_clusters_own_roles_and_approving_is_in_neither(plain: list[Json]) -> None:
    view, edit = (only(plain, "ClusterRole", f"firelift-{name}") for name in ("view", "edit"))

    assert view["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-view"] == "true"
    assert edit["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-edit"] == "true"
    assert "rbac.authorization.k8s.io/aggregate-to-view" not in edit["metadata"]["labels"]
    assert not any("approve" in rule["verbs"] for role in (view, edit) for rule in role["rules"])
    assert "approve" in only(plain, "ClusterRole", "firelift-approver")["rules"][0]["verbs"]


def test_no_policy_goes_before_the_objects_that_it_guards(plain: list[Json]) -> None:
    kinds = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    going = [each for kind in kinds for each in of_kind(plain, kind) if not _annotations(each)]

    assert going == []


@pytest.mark.parametrize(
    "name",
    [
        "approvals.firelift.dev",
        "automatic-applies.firelift.dev",
        "environments.tenancy.firelift.dev",
        "on-call.firelift.dev",
        "rollouts.tenancy.firelift.dev",
    ],
)
def test_a_policy_stays_as_long_as_the_objects_do(chart: Chart, plain: list[Json], name: str) -> None:
    kinds = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    going = chart.render(crds={"keep": False})

    assert all(_annotations(only(plain, kind, name)) == {"helm.sh/resource-policy": "keep"} for kind in kinds)
    assert all(_annotations(only(going, kind, name)) == {} for kind in kinds)
    assert only(plain, kinds[1], name)["spec"] == {"policyName": name, "validationActions": ["Deny"]}
    assert only(plain, kinds[0], name)["spec"]["failurePolicy"] == "Fail"


def test_on_call_holds_takes_back_and_starts_again_and_edits_nothing(plain: list[Json]) -> None:
    role = only(plain, "ClusterRole", "firelift-on-call")
    rollouts, environments, approvals = role["rules"]

    assert rollouts["verbs"] == ["get", "list", "watch", "patch", "suspend", "revert", "abort", "retry"]
    assert environments["verbs"] == ["get", "list", "watch", "patch", "suspend", "retry"]
    assert approvals["verbs"] == ["get", "list", "watch"]
    assert not any(name.startswith("rbac.authorization.k8s.io/aggregate-to") for name in role["metadata"]["labels"])
    # Whoever has one of these would pass the policy, or be asked by none.
    assert not {"update", "create", "delete", "approve"} & {verb for rule in role["rules"] for verb in rule["verbs"]}


@pytest.mark.parametrize(
    ("values", "gone"),
    [
        ({"approvalPolicy": {"create": False}}, {"approvals.firelift.dev", "automatic-applies.firelift.dev"}),
        ({"onCallPolicy": {"create": False}}, {"on-call.firelift.dev", "firelift-on-call"}),
        ({"userRoles": {"create": False}}, {"firelift-view", "firelift-edit", "firelift-approver", "firelift-on-call"}),
    ],
)
def test_without_its_policy_on_call_has_no_role(chart: Chart, plain: list[Json], values: Json, gone: set[str]) -> None:
    def names(objects: list[Json]) -> set[str]:
        return {each["metadata"]["name"] for each in objects if each["kind"] in _CLUSTER_WIDE}

    assert names(plain) - names(chart.render(**values)) == gone


def test_the_service_accounts_carry_their_identities(chart: Chart) -> None:
    identity = {"iam.gke.io/gcp-service-account": "firelift@shop.iam.gserviceaccount.com"}
    objects = chart.render(
        operator={"serviceAccount": {"name": "mover", "annotations": identity}},
        worker={
            "serviceAccountName": "firelift-worker",
            "serviceAccounts": [{"namespace": "shop", "annotations": identity}, {"namespace": "gym"}],
        },
    )
    accounts = {each["metadata"]["namespace"]: each for each in of_kind(objects, "ServiceAccount")}

    assert {where: each["metadata"]["name"] for where, each in accounts.items()} == {
        NAMESPACE: "mover",
        "shop": "firelift-worker",
        "gym": "firelift-worker",
    }
    assert _annotations(accounts[NAMESPACE]) == _annotations(accounts["shop"]) == identity
    assert accounts["shop"]["automountServiceAccountToken"] is False
    assert _pod(objects)["serviceAccountName"] == "mover"
    subjects = [
        s for kind in ("RoleBinding", "ClusterRoleBinding") for b in of_kind(objects, kind) for s in b["subjects"]
    ]
    assert {subject["name"] for subject in subjects} == {"mover"}
    assert _environment(objects)["FIRELIFT_WORKER_SERVICE_ACCOUNT"] == "firelift-worker"


# The operator


def test_two_replicas_replace_each_other_without_a_gap(plain: list[Json]) -> None:
    spec = only(plain, "Deployment")["spec"]

    assert spec["replicas"] == 2
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert only(plain, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_one_replica_has_no_budget_that_would_block_a_drain(chart: Chart) -> None:
    assert of_kind(chart.render(replicas=1), "PodDisruptionBudget") == []


def test_the_pod_is_restricted_and_asked_how_it_is(plain: list[Json]) -> None:
    pod = _pod(plain)
    (container,) = pod["containers"]

    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container["securityContext"] == _RESTRICTED
    assert container["command"] == ["python", "-m", "firelift.operator"]
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "health"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "health"}


def test_a_pod_outlives_an_interrupted_run_of_terraform(chart: Chart) -> None:
    assert _pod(chart.render(terraform={"graceSeconds": 90}))["terminationGracePeriodSeconds"] == 120


def test_each_variable_is_a_setting_that_the_operator_knows(chart: Chart, plain: list[Json]) -> None:
    known = {f"FIRELIFT_{name.upper()}" for name in Settings.model_fields}
    more = chart.render(operator={"env": [{"name": "FIRELIFT_RESYNC_SECONDS", "value": "60"}]})

    assert set(_environment(plain)) <= known
    assert _environment(more)["FIRELIFT_RESYNC_SECONDS"] == "60"


@pytest.mark.parametrize(
    ("image", "operator", "worker"),
    [
        ({}, "firelift:0.1.0", "firelift:0.1.0"),
        ({"repository": "eu.example/firelift", "tag": "1.2"}, "eu.example/firelift:1.2", "eu.example/firelift:1.2"),
        ({"tag": "1.2", "digest": f"sha256:{'a' * 64}"}, f"firelift@sha256:{'a' * 64}", f"firelift@sha256:{'a' * 64}"),
    ],
)
def test_workers_run_the_operators_image(chart: Chart, image: Json, operator: str, worker: str) -> None:
    objects = chart.render(image=image)

    assert _pod(objects)["containers"][0]["image"] == operator
    assert _environment(objects)["FIRELIFT_WORKER_IMAGE"] == worker


def test_workers_run_an_image_of_their_own_when_one_is_named(chart: Chart) -> None:
    assert _environment(chart.render(worker={"image": "shop/worker:7"}))["FIRELIFT_WORKER_IMAGE"] == "shop/worker:7"


def test_where_the_pods_go_is_the_clusters_to_say(chart: Chart) -> None:
    placed = {
        "nodeSelector": {"pool": "system"},
        "tolerations": [{"key": "system", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "priorityClassName": "system-cluster-critical",
    }
    pod = _pod(chart.render(operator=placed, imagePullSecrets=["pull"]))

    assert {name: pod[name] for name in placed} == placed
    assert pod["imagePullSecrets"] == [{"name": "pull"}]


# The network and the metrics


def test_nothing_comes_in_but_to_health_and_metrics(plain: list[Json]) -> None:
    spec = only(plain, "NetworkPolicy")["spec"]

    assert spec["policyTypes"] == ["Ingress"]
    assert spec["ingress"] == [{"ports": [{"port": 8080}]}]
    assert spec["podSelector"]["matchLabels"].items() <= _labels(plain).items()


def test_nothing_goes_out_but_to_the_ports_named(chart: Chart) -> None:
    policy = only(chart.render(networkPolicy={"restrictEgress": True, "egressPorts": [443, 9090]}), "NetworkPolicy")
    open_to_all = [rule["ports"] for rule in policy["spec"]["egress"] if "to" not in rule]

    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert open_to_all == [
        [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
        [{"port": 443}, {"port": 9090}],
    ]


def test_prometheus_asks_each_replica(chart: Chart, plain: list[Json]) -> None:
    monitored = chart.render(metrics={"serviceMonitor": {"create": True, "labels": {"release": "prometheus"}}})
    monitor = only(monitored, "ServiceMonitor")

    assert of_kind(plain, "ServiceMonitor") == []
    assert only(plain, "Service")["spec"]["selector"].items() <= _labels(plain).items()
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= only(plain, "Service")["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["endpoints"]
    # Honoured, or the labels of a rollout would be moved aside by those of the operator's own pod.
    assert endpoint == {"port": "health", "path": "/metrics", "interval": "30s", "honorLabels": True}


def _labels(objects: list[Json]) -> dict[str, str]:
    labels: dict[str, str] = only(objects, "Deployment")["spec"]["template"]["metadata"]["labels"]
    return labels


# What Prometheus and Grafana are given


def test_alerts_and_dashboard_are_there_when_they_are_asked_for(chart: Chart, plain: list[Json]) -> None:
    assert not of_kind(plain, "PrometheusRule")
    asked = {
        "prometheusRule": {"create": True, "labels": {"release": "prometheus"}, "runbooks": "https://wiki/firelift"}
    }
    objects = chart.render(metrics=asked | {"dashboard": {"create": True}})
    rule = only(objects, "PrometheusRule")
    stored = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text(encoding="utf-8"))
    (group,) = rule["spec"]["groups"]
    assert [each["expr"] for each in group["rules"]] == [each["expr"] for each in stored["groups"][0]["rules"]]
    assert rule["metadata"]["labels"]["release"] == "prometheus"
    assert all(each["annotations"]["runbook_url"].startswith("https://wiki/firelift#") for each in group["rules"])
    shown = only(objects, "ConfigMap", "firelift-dashboard")
    assert json.loads(shown["data"]["firelift.json"])["uid"] == "firelift"
    assert shown["metadata"]["labels"]["grafana_dashboard"] == "1"


# Before it is uninstalled


def test_a_release_leaves_with_the_operators_own_rights_and_the_one_to_stop_it(plain: list[Json]) -> None:
    hooks = [each for each in plain if "helm.sh/hook" in _annotations(each)]
    role = only(hooks, "Role")
    pod = only(hooks, "Job")["spec"]["template"]["spec"]

    assert {_annotations(each)["helm.sh/hook"] for each in hooks} == {"pre-delete"}
    assert role["rules"] == [
        {
            "apiGroups": ["apps"],
            "resources": ["deployments/scale"],
            "resourceNames": ["firelift-operator"],
            "verbs": ["get", "patch"],
        }
    ]
    assert int(_annotations(role)["helm.sh/hook-weight"]) < int(
        _annotations(only(hooks, "Job")).get("helm.sh/hook-weight", 0)
    )
    assert pod["serviceAccountName"] == "firelift-operator"
    assert pod["containers"][0]["securityContext"] == _RESTRICTED
    assert pod["containers"][0]["env"] == _pod(plain)["containers"][0]["env"]


def test_a_release_can_go_without_letting_go(chart: Chart) -> None:
    assert not any("helm.sh/hook" in _annotations(each) for each in chart.render(uninstall={"hold": False}))


def test_the_page_is_off_until_it_is_asked_for(chart: Chart, plain: list[Json]) -> None:
    assert _environment(plain)["FIRELIFT_PAGE_PORT"] == "0"
    assert _environment(chart.render(page={"create": True}))["FIRELIFT_PAGE_PORT"] == "8090"
