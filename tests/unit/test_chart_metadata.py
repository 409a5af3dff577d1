"""What the chart says of itself to those who look for charts."""

from __future__ import annotations

from importlib.metadata import version

import yaml
from tests.documentation.generated import ROOT

from firelift.api import crd
from firelift.api.base import GROUP, VERSION
from firelift.sandbox.helm import CHART

METADATA = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))


def test_the_chart_names_each_kind_that_it_brings() -> None:
    named = yaml.safe_load(METADATA["annotations"]["artifacthub.io/crds"])
    assert [(each["kind"], each["name"], each["version"], each["description"]) for each in named] == [
        (kind.kind, f"{kind.plural}.{GROUP}", VERSION, kind.description) for kind in crd.KINDS
    ]


def test_the_chart_is_of_the_version_and_the_license_of_the_program() -> None:
    assert METADATA["appVersion"] == version("firelift")
    assert METADATA["annotations"]["artifacthub.io/license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
