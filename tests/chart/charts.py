"""The chart as Helm renders it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from firelift.sandbox.helm import CHART, run_helm

Json = dict[str, Any]
NAMESPACE = "firelift-system"


@dataclass(frozen=True, slots=True)
class Chart:
    """`home` is Helm's own folder."""

    home: Path

    def text(self, *arguments: str, **values: Any) -> str:
        """What `helm template` prints; it raises HelmError with Helm's own sentence."""
        given = ("--values=-", *arguments)
        command = ("template", "firelift", str(CHART), f"--namespace={NAMESPACE}", *given)
        return run_helm(*command, home=self.home, stdin=json.dumps(values))

    def render(self, **values: Any) -> list[Json]:
        """The objects of a release with these values, hooks included."""
        return [each for each in yaml.safe_load_all(self.text(**values)) if each]


def of_kind(objects: list[Json], kind: str, name: str = "") -> list[Json]:
    """Those of a kind, and of a name when one is given."""
    return [each for each in objects if each["kind"] == kind and (not name or each["metadata"]["name"] == name)]


def only(objects: list[Json], kind: str, name: str = "") -> Json:
    """The one of a kind and name."""
    (found,) = of_kind(objects, kind, name)
    return found
