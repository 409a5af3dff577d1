"""The CustomResourceDefinitions, generated from the models: ``python -m firelift.api.crd [folder]``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from firelift.api import approval, environment, rollout
from firelift.api.base import GROUP, VERSION
from firelift.api.environment.spec import EnvironmentSpec
from firelift.api.environment.status import EnvironmentStatus
from firelift.api.environment.transitions import ENVIRONMENT_ROOT_RULES
from firelift.api.rules import Rules
from firelift.api.status import RolloutStatus
from firelift.api.structural import Schema, structural, without_defaults
from firelift.api.transitions import ROLLOUT_ROOT_RULES

_CATEGORY = "migrations"
_NOT_OBSERVED = {
    "reason": "NotObserved",
    "message": "Firelift has not looked at this object yet",
    "lastTransitionTime": "1970-01-01T00:00:00Z",
}
_STATUS_BEFORE_THE_FIRST_LOOK = {
    "reason": _NOT_OBSERVED["reason"],
    "conditions": [
        {"type": "Ready", "status": "Unknown", **_NOT_OBSERVED},
        {"type": "Reconciling", "status": "True", **_NOT_OBSERVED},
    ],
}


def _ready_of(path: str) -> str:
    return f'.status.conditions[?(@.type=="Ready")].{path}'


_ROLLOUT_COLUMNS = (
    ("Phase", ".status.phase", 0),
    ("Step", ".status.step", 0),
    ("Progress", ".status.progress", 0),
    ("Gates", ".status.gatesSummary", 0),
    ("Ready", _ready_of("status"), 0),
    ("Reason", ".status.reason", 0),
    ("Age", ".metadata.creationTimestamp", 0),
    ("Message", ".status.message", 1),
    ("Rate", ".status.rate", 1),
    ("Pace", ".status.pace", 1),
    ("Revertible-Until", ".status.revertibleUntil", 1),
)
_ENVIRONMENT_COLUMNS = (
    ("Database", ".spec.database.name", 0),
    ("Plan", ".status.planSummary", 0),
    ("Indexes", ".status.indexesSummary", 0),
    ("TTLs", ".status.ttlsSummary", 0),
    ("Drift", ".status.driftSummary", 0),
    ("Ready", _ready_of("status"), 0),
    ("Reason", ".status.reason", 0),
    ("Age", ".metadata.creationTimestamp", 0),
    ("Message", ".status.message", 1),
    ("Project", ".spec.project.id", 1),
    ("Digest", ".status.plan.digest", 1),
    ("Applied", ".status.applied.time", 1),
)
_APPROVAL_COLUMNS = (
    ("Target", ".spec.target.name", 0),
    ("Decision", ".spec.decision", 0),
    ("Approver", ".spec.approver", 0),
    ("Age", ".metadata.creationTimestamp", 0),
    ("Digest", ".spec.digest", 1),
    ("Comment", ".spec.comment", 1),
)


@dataclass(frozen=True)
class Kind:
    """One custom resource: its names, its models, and what `kubectl get` prints."""

    kind: str
    plural: str
    short_name: str
    description: str
    spec: type[BaseModel]
    columns: tuple[tuple[str, str, int], ...]
    status: type[BaseModel] | None = None
    root_rules: Rules = ()


KINDS = (
    Kind(
        rollout.KIND,
        rollout.PLURAL,
        "mroll",
        "Moves live Firestore data in phases, each opened by evidence and closed by a verified way back.",
        rollout.RolloutSpec,
        _ROLLOUT_COLUMNS,
        RolloutStatus,
        ROLLOUT_ROOT_RULES,
    ),
    Kind(
        environment.KIND,
        environment.PLURAL,
        "fsenv",
        "The ground that rollouts stand on: a project, its database, indexes, TTLs, access and alerts, planned by"
        " Terraform, approved, applied as planned, and watched.",
        EnvironmentSpec,
        _ENVIRONMENT_COLUMNS,
        EnvironmentStatus,
        ENVIRONMENT_ROOT_RULES,
    ),
    Kind(
        approval.KIND,
        approval.PLURAL,
        "mapproval",
        "A decision by a person about a rollout or an environment, bound to what that person saw. It cannot be changed,"
        " only deleted.",
        approval.ApprovalSpec,
        _APPROVAL_COLUMNS,
    ),
)


def crd(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind."""
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _root(kind)},
        "additionalPrinterColumns": [_column(*column) for column in kind.columns],
    }
    if kind.status:
        version["subresources"] = {"status": {}}
    names = {
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": kind.plural,
        "singular": kind.kind.lower(),
        "shortNames": [kind.short_name],
        "categories": [_CATEGORY],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def files() -> dict[str, str]:
    """The text of each file of `crds/` by its name."""
    return {f"{kind.plural}.yaml": _text(crd(kind)) for kind in KINDS}


FOLDERS = ("crds", "charts/firelift/files/crds")
"""Below the checkout: for `kubectl apply`, and what the chart's templates are made of."""


def main(arguments: list[str]) -> int:
    """Write the files into the folders given, or into those of the checkout that is the working directory."""
    for folder in map(Path, arguments or FOLDERS):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files().items():
            (folder / name).write_text(text, encoding="utf-8")
    return 0


def _root(kind: Kind) -> Schema:
    properties: dict[str, Any] = {
        "apiVersion": {"type": "string", "maxLength": 253, "description": "The version of this object's schema."},
        "kind": {"type": "string", "maxLength": 63, "description": "The kind of this object."},
        "metadata": {"type": "object"},
        "spec": structural(kind.spec),
    }
    if kind.status:
        properties["status"] = {**without_defaults(structural(kind.status)), "default": _STATUS_BEFORE_THE_FIRST_LOOK}
    root: Schema = {
        "type": "object",
        "description": kind.description,
        "required": ["spec"],
        "properties": properties,
    }
    if kind.root_rules:
        root["x-kubernetes-validations"] = [rule.manifest() for rule in kind.root_rules]
    return root


def _column(name: str, path: str, priority: int) -> dict[str, Any]:
    column = {"name": name, "type": "date" if name == "Age" else "string", "jsonPath": path}
    return {**column, "priority": priority} if priority else column


class _Dumper(yaml.SafeDumper):
    """Lists indented below their key, and no anchors: what a reviewer expects of a manifest."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  # its base's signature
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # its base's signature
        return True


def _text(manifest: dict[str, Any]) -> str:
    head = "# Generated by `python -m firelift.api.crd`: change the models, not this file.\n"
    return head + yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
