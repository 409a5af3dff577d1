"""What is wrong with a manifest, as far as that can be told without a cluster: the API server's rules, and more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from firelift.api.approval import ApprovalSpec
from firelift.api.base import API_VERSION, GROUP
from firelift.api.environment.spec import EnvironmentSpec
from firelift.api.plan import CheckVerdict
from firelift.api.rollout import RolloutSpec
from firelift.api.tenancy import Tenancy
from firelift.api.tightened import AS_NEW
from firelift.cli.allowances import objections, tenancy_of
from firelift.cli.kinds import APPROVAL, ENVIRONMENT, ROLLOUT
from firelift.cli.manifests import Manifest
from firelift.migration.preflight.checks import spoken
from firelift.rollout.validity import declared
from firelift.stores.firestore.values import FirestoreValues

_MODELS: dict[str, type[BaseModel]] = {
    ROLLOUT.kind: RolloutSpec,
    ENVIRONMENT.kind: EnvironmentSpec,
    APPROVAL.kind: ApprovalSpec,
}
_PREFIX = "Value error, "
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_ON_CALL = {
    "suspend": "is on-call's: `kubectl firelift pause` sets it; in Git it holds the rollout until Git changes",
    "intent": "is on-call's: `kubectl firelift revert` or `abort` sets it; in Git every re-apply asks for it again",
    "revertTo": "is on-call's: `kubectl firelift revert --to` sets it",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence about one object; `error`: the cluster or the operator would refuse it."""

    file: str
    title: str
    message: str
    error: bool = True

    @property
    def line(self) -> str:
        """As it is printed."""
        return f"{self.file}: {self.title}: {'error' if self.error else 'warning'}: {self.message}"


def findings(manifest: Manifest, spaces: Mapping[str, Tenancy] | None = None) -> Iterator[Finding]:
    """Everything that is wrong with it, beside these Namespaces; nothing of what is not Firelift's."""
    for message, error in _told(manifest.document, spaces or {}):
        yield Finding(manifest.file, manifest.title, message, error)


def kind_of(document: Any) -> str:
    """The kind of an object of ours; empty for anything else."""
    if not isinstance(document, dict) or not str(document.get("apiVersion", "")).startswith(f"{GROUP}/"):
        return ""
    return str(document.get("kind", ""))


def _told(document: Any, spaces: Mapping[str, Tenancy]) -> Iterator[tuple[str, bool]]:
    kind = kind_of(document)
    if not kind:
        tenancy = tenancy_of(document)
        yield from ((message, True) for message in (tenancy.misspelt() if tenancy is not None else ()))
        return
    model = _MODELS.get(kind)
    if document["apiVersion"] != API_VERSION or model is None:
        known = ", ".join(_MODELS)
        yield f"must be one of {known} of {API_VERSION}, not {kind} of {document['apiVersion']}", True
        return
    yield from ((message, True) for message in _head(document))
    try:
        spec = model.model_validate(document.get("spec", {}), context=AS_NEW)
    except ValidationError as error:
        yield from ((message, True) for message in _sentences(error))
        return
    yield from _on_call(document["spec"])
    yield from ((message, True) for message in objections(document.get("metadata") or {}, spec, spaces))
    if isinstance(spec, RolloutSpec):
        yield from _of_rollout(spec)


def _head(document: dict[str, Any]) -> Iterator[str]:
    metadata = document.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name = metadata.get("name", "")
    if not name and not metadata.get("generateName"):
        yield "metadata.name: must be given"
    elif name and not _NAME.fullmatch(str(name)):
        yield f"metadata.name: {name!r} must be lower case letters, digits, - and ., and begin and end with one"
    for unknown in sorted(document.keys() - {"apiVersion", "kind", "metadata", "spec", "status"}):
        yield f'unknown field "{unknown}"'


def _sentences(error: ValidationError) -> Iterator[str]:
    """Each error with its place: ``spec.phases[0].steps[1]: a step must have exactly one of …``."""
    for entry in error.errors(include_url=False, include_input=False):
        place = "spec" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in entry["loc"])
        yield f"{place}: {entry['msg'].removeprefix(_PREFIX)}"


def _on_call(spec: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    for field, why in _ON_CALL.items():
        if spec.get(field):
            yield f"spec.{field}: {why}", False


def _of_rollout(spec: RolloutSpec) -> Iterator[tuple[str, bool]]:
    """What the operator would say of it: before the first phase, and before the first write."""
    yield from ((message, True) for message in declared(spec))
    looked_at = [each for each in spec.migrations if each.transform.python is None]
    for each in spec.migrations:
        if each.transform.python is not None:
            yield f"migration {each.name}: its Python transform is not looked at here; the plan run imports it", False
    checks = spoken(looked_at, FirestoreValues(), datetime.now(UTC), spec.ledger_retention_seconds)
    for check in checks:
        if check.verdict is not CheckVerdict.PASS:
            yield f"{check.check}: {check.message}", check.verdict is CheckVerdict.FAIL
