"""The module `operator` without its provider: what it refuses, and what the chart makes of the values that it gives."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.chart.charts import NAMESPACE, Chart, of_kind, only
from tests.terraform.configuration import Configuration
from tests.terraform.readmes import ROOT

MODULE = ROOT / "terraform" / "modules" / "operator"
IDENTITY = "iam.gke.io/gcp-service-account"
OPERATOR = "firelift-operator@shop-prod.iam.gserviceaccount.com"
WORKER = "firelift-worker@shop-prod.iam.gserviceaccount.com"
# Of the resource's page in the provider's documentation, version 3.
DOCUMENTED = {
    *("name", "repository", "chart", "version", "namespace", "create_namespace", "values", "atomic", "wait", "timeout")
}


class Stripped:
    """A copy of the module with all but the release, which takes a provider."""

    def __init__(self, place: Configuration) -> None:
        self._place = place
        for name in ("variables.tf", "values.tf"):
            shutil.copy(MODULE / name, place.directory)
        place.replace('terraform {\n  required_version = ">= 1.11"\n}\noutput "values" {\n  value = local.values\n}\n')

    def values(self, **variables: Any) -> list[str]:
        """The texts that Helm is given."""
        self._say(variables)
        self._place.run("plan", "-out=test.plan")
        shown = json.loads(self._place.run("show", "-json", "test.plan").stdout)
        texts: list[str] = shown["planned_values"]["outputs"]["values"]["value"]
        return texts

    def refused(self, **variables: Any) -> str:
        """Terraform's sentence."""
        self._say(variables)
        return self._place.refused("plan")

    def _say(self, variables: dict[str, Any]) -> None:
        text = json.dumps({"chart": "charts/firelift", **variables})
        (self._place.directory / "terraform.tfvars.json").write_text(text)


@pytest.fixture
def module(unconnected: Configuration) -> Stripped:
    return Stripped(unconnected)


@pytest.fixture(scope="session")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Chart:
    return Chart(tmp_path_factory.mktemp("helm"))


def rendered(chart: Chart, directory: Path, texts: list[str]) -> list[dict[str, Any]]:
    """The objects of a release with these texts of values, in their order."""
    files = [directory / f"{number}.yaml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    text = chart.text(*(f"--values={file}" for file in files))
    return [each for each in yaml.safe_load_all(text) if each]


def test_all_but_the_release_is_in_what_is_tested_here() -> None:
    text = (MODULE / "main.tf").read_text()
    assert re.findall(r'^(\w+) "(\w+)"', text, re.MULTILINE) == [("resource", "helm_release")]
    assert set(re.findall(r"^  (\w+)\s+=", text, re.MULTILINE)) == DOCUMENTED
    assert "values           = local.values\n" in text
    blocks = {block for file in MODULE.glob("*.tf") for block in re.findall(r"^(\w+)", file.read_text(), re.MULTILINE)}
    assert blocks == {"locals", "output", "resource", "terraform", "variable"}


def test_accounts_become_identities_of_the_charts_service_accounts(
    module: Stripped, chart: Chart, tmp_path: Path
) -> None:
    texts = module.values(operator_account=OPERATOR, worker_accounts={"shop": WORKER, "lab": ""})
    objects = rendered(chart, tmp_path, texts)
    accounts = {each["metadata"]["namespace"]: each["metadata"] for each in of_kind(objects, "ServiceAccount")}
    assert accounts[NAMESPACE]["annotations"] == {IDENTITY: OPERATOR}
    assert (accounts["shop"]["name"], accounts["shop"]["annotations"]) == ("firelift-worker", {IDENTITY: WORKER})
    assert (accounts["lab"]["name"], "annotations" in accounts["lab"]) == ("firelift-worker", False)
    assert "firelift-worker" in json.dumps(only(objects, "Deployment"))


def test_without_accounts_the_chart_is_as_it_is_by_default(module: Stripped, chart: Chart, tmp_path: Path) -> None:
    assert rendered(chart, tmp_path, module.values()) == chart.render()


def test_the_charts_own_values_win_and_join_the_others(module: Stripped, chart: Chart, tmp_path: Path) -> None:
    own = {
        "image": {"repository": "registry.example/firelift"},
        "operator": {"serviceAccount": {"annotations": {"team": "shop"}}},
        "terraform": {"secretNamespaces": ["shop"]},
    }
    objects = rendered(chart, tmp_path, module.values(operator_account=OPERATOR, chart_values=own))
    annotations = only(objects, "ServiceAccount")["metadata"]["annotations"]
    assert annotations == {IDENTITY: OPERATOR, "team": "shop"}
    assert "registry.example/firelift:" in json.dumps(only(objects, "Deployment"))
    assert only(objects, "Role", "firelift-operator-secrets")["metadata"]["namespace"] == "shop"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"operator_account": f"serviceAccount:{OPERATOR}"}, "without `serviceAccount:` before it"),
        ({"operator_account": ""}, "An account is the e-mail address of a service account"),
        ({"worker_accounts": {"shop": "firelift-worker"}}, "without `serviceAccount:` before it, or empty"),
        ({"worker_accounts": {NAMESPACE: WORKER}}, "in namespaces of their own"),
        ({"worker_accounts": {"tools": WORKER}, "namespace": "tools"}, "in namespaces of their own"),
        ({"namespace": "Firelift"}, "A namespace has lower-case letters"),
        ({"chart_values": "replicas: 3"}, "are a map"),
        ({"chart_values": ["replicas"]}, "are a map"),
        ({"timeout_seconds": 0}, "At least 1 s"),
        ({"chart": ""}, "a folder, an `oci://` address, or a name"),
        ({"chart": "oci://example.com/firelift", "repository": "https://example.com"}, "its address says where"),
    ],
)
def test_what_is_wrong_is_refused_in_the_plan(module: Stripped, wrong: dict[str, Any], sentence: str) -> None:
    assert sentence in module.refused(**wrong)
