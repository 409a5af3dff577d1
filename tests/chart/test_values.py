"""The chart's values: each is documented and bounded, and a wrong one is refused with a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.chart.charts import Chart
from tests.chart.values_table import VALUES, leaves, rows

from firelift.sandbox.helm import CHART, HelmError, run_helm

_SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
_FREE = ("resources", "affinity")
"""Maps whose keys are Kubernetes' own, described as a whole."""


def _objects(schema: Any, path: str = "values") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield path, schema
        for key, child in schema.items():
            yield from _objects(child, f"{path}.{key}")


def test_helm_lint_finds_nothing_but_the_icon(chart: Chart) -> None:
    said = run_helm("lint", "--strict", str(CHART), home=chart.home)

    assert [line for line in said.splitlines() if line.startswith("[")] == ["[INFO] Chart.yaml: icon is recommended"], (
        said
    )


def test_each_value_is_described_where_it_stands() -> None:
    described = {name for name, _, _ in rows()}
    values = yaml.safe_load(VALUES.read_text(encoding="utf-8"))
    undescribed = [leaf for leaf in leaves(values) if not any(f"{leaf}.".startswith(f"{name}.") for name in described)]

    assert undescribed == []


def test_no_object_of_the_schema_takes_a_value_that_it_does_not_name() -> None:
    kubernetes_own = {"valueFrom", "nodeAffinity", "podAffinity", "podAntiAffinity", "global"}
    found = [(path, schema) for path, schema in _objects(_SCHEMA) if path.rpartition(".")[2] not in kubernetes_own]
    maps = {"values.$defs.strings", "values.$defs.quantities"}

    assert [path for path, schema in found if schema.get("additionalProperties") is not False] == sorted(
        maps, reverse=True
    )


def test_the_schema_names_what_values_yaml_has() -> None:
    def named(schema: dict[str, Any], values: dict[str, Any], path: str) -> None:
        for key, value in values.items():
            assert key in schema["properties"], f"{path}{key} is not in the schema"
            below = schema["properties"][key]
            if isinstance(value, dict) and "properties" in below:
                named(below, value, f"{path}{key}.")

    named(_SCHEMA, yaml.safe_load(VALUES.read_text(encoding="utf-8")), "")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"replica": 2}, "additional properties 'replica' not allowed"),
        ({"replicas": "two"}, "'/replicas': got string, want integer"),
        ({"replicas": 11}, "'/replicas': maximum: got 11, want 10"),
        ({"image": {"pullpolicy": "Always"}}, "'/image': additional properties 'pullpolicy' not allowed"),
        ({"image": {"pullPolicy": "Sometimes"}}, "value must be one of 'Always', 'IfNotPresent', 'Never'"),
        ({"image": {"digest": "sha256:abc"}}, "'/image/digest'"),
        ({"image": {"repository": ""}}, "'/image/repository': minLength: got 0, want 1"),
        ({"operator": {"healthPort": 70000}}, "'/operator/healthPort': maximum: got 70,000, want 65,535"),
        ({"operator": {"strategy": "Recreate"}}, "'/operator': additional properties 'strategy' not allowed"),
        ({"operator": {"resources": {"limit": {}}}}, "additional properties 'limit' not allowed"),
        ({"operator": {"env": [{"value": "1"}]}}, "missing property 'name'"),
        (
            {"operator": {"env": [{"name": "FIRELIFT_LEASE_NAME", "value": "mine"}]}},
            "operator.env must not set FIRELIFT_LEASE_NAME: the chart sets it, from a value of its own",
        ),
        ({"watchNamespaces": ["Shop"]}, "'/watchNamespaces/0'"),
        ({"watchNamespaces": ["shop", "shop"]}, "'/watchNamespaces': items at 0 and 1 are equal"),
        ({"worker": {"serviceAccounts": [{"namespace": "shop"}]}}, "set worker.serviceAccountName, to firelift-worker"),
        ({"terraform": {"graceSeconds": 0}}, "'/terraform/graceSeconds': minimum: got 0, want 1"),
        ({"networkPolicy": {"egressPorts": [0]}}, "'/networkPolicy/egressPorts/0': minimum: got 0, want 1"),
        ({"metrics": {"serviceMonitor": {"interval": "often"}}}, "'/metrics/serviceMonitor/interval'"),
        ({"onCallPolicy": {"create": "yes"}}, "'/onCallPolicy/create': got string, want boolean"),
        ({"tenancy": {"required": "yes"}}, "'/tenancy/required': got string, want boolean"),
        ({"tenancy": {"databases": []}}, "'/tenancy': additional properties 'databases' not allowed"),
        ({"crds": {"keep": "yes"}}, "'/crds/keep': got string, want boolean"),
    ],
)
def test_a_wrong_value_is_refused_with_a_sentence(chart: Chart, values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(HelmError) as refused:
        chart.render(**values)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("absent", "sentence"),
    [
        ({"tenancy": None, "onCallPolicy": None}, "missing properties 'onCallPolicy', 'tenancy'"),
        ({"tenancy": {"required": None}}, "at '/tenancy': missing property 'required'"),
    ],
)
def test_values_kept_from_an_older_chart_are_refused_by_the_name_of_what_they_lack(
    chart: Chart, absent: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(HelmError, match=re.escape(sentence)):
        chart.text(**absent)


def test_no_value_of_the_chart_may_be_absent() -> None:
    def objects(schema: dict[str, Any], values: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        yield schema, values
        for key, value in values.items():
            if key not in _FREE and isinstance(value, dict) and "properties" in (below := schema["properties"][key]):
                yield from objects(below, value)

    values = yaml.safe_load(VALUES.read_text(encoding="utf-8"))
    assert all(set(schema["required"]) == set(given) for schema, given in objects(_SCHEMA, values))


def test_a_cluster_that_is_too_old_is_refused(chart: Chart) -> None:
    with pytest.raises(HelmError, match=r"chart requires kubeVersion: >=1\.33\.0-0"):
        chart.text("--kube-version=1.32.9")
