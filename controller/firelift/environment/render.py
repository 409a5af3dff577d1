"""From a spec and what it names to what Terraform is given: one root module, its variables, and its secrets apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from firelift.api.digest import digest
from firelift.api.environment.indexes import CompositeIndex
from firelift.api.environment.spec import EnvironmentSpec
from firelift.api.environment.terraform import RootOutput
from firelift.environment.declared import Declared, declared
from firelift.environment.references import Read, check, of_channels, of_rules, of_secrets

MAIN = "main.tf.json"
MODULES = "modules"
"""The folder below the root module that the bundled modules are put into."""
FIRESTORE = "module.environment.module.firestore"
OUTPUTS = tuple(sorted(each.value for each in RootOutput))
SECTIONS = ("project", "database", "indexes", "ttls", "access", "observability", "secrets", "rules")
SECRETS: Mapping[str, str] = {"secret_values": "map(string)", "channel_secrets": "map(map(string))"}

Variables = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Staging:
    """What a plan does beside what is declared.

    `imports` are Google's names by address: they exist and are taken over. `kept` are old indexes by the key that they
    wait under. `moves` lead from an address to another one.
    """

    imports: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, CompositeIndex] = field(default_factory=dict)
    moves: Mapping[str, str] = field(default_factory=dict)


NOTHING_STAGED = Staging()


@dataclass(frozen=True, slots=True)
class Rendered:
    """A root module, its variables, and those that no plan and no state may hold. `digest` is over all but secrets."""

    files: Mapping[str, str]
    variables: Variables
    secrets: Variables = field(repr=False)
    declared: Declared

    @property
    def digest(self) -> str:
        """The same for the same inputs. A secret counts by its version: its value is in no digest."""
        return digest({"files": self.files, "variables": self.variables})


def render(spec: EnvironmentSpec, read: Read, staging: Staging = NOTHING_STAGED) -> Rendered:
    """Render a spec.

    Raises:
        Missing: something that the spec names was not found.
        Unusable: something that it names is wrong.
    """
    check(spec, read)
    found = declared(spec, read)
    sources = {address.removeprefix(f"{FIRESTORE}.") for address in staging.moves}
    # Terraform refuses to move an object from an address that is still declared: the new one comes with the next plan.
    here = {key: index for key, index in found.composite.items() if _composite(key) not in sources}
    variables = _variables(spec, read, found, {**here, **staging.kept})
    imports = {**_adopted(spec), **_still_declared(staging.imports, variables)}
    return Rendered(
        files={MAIN: root_module(imports, staging.moves, frozenset(spec.terraform.sensitive_outputs))},
        variables=variables,
        secrets={
            "secret_values": {key: read[place] for key, place in of_secrets(spec).items()},
            "channel_secrets": {
                key: {label: read[place] for label, place in labels.items()}
                for key, labels in of_channels(spec).items()
            },
        },
        declared=found,
    )


def root_module(imports: Mapping[str, str], moves: Mapping[str, str], sensitive: frozenset[str]) -> str:
    """The text of `main.tf.json`: one call of the bundled module `environment`, which takes and gives everything."""
    module: dict[str, Any] = {
        "terraform": {"required_version": ">= 1.11"},
        "variable": {
            **{name: {} for name in SECTIONS},
            **{name: {"type": kind, "sensitive": True, "ephemeral": True} for name, kind in SECRETS.items()},
        },
        "module": {
            "environment": {
                "source": f"./{MODULES}/environment",
                **{name: f"${{var.{name}}}" for name in (*SECTIONS, *SECRETS)},
            }
        },
        "output": {
            name: {"value": f"${{module.environment.{name}}}", **({"sensitive": True} if name in sensitive else {})}
            for name in OUTPUTS
        },
    }
    if imports:
        module["import"] = [{"to": to, "id": _escaped(name)} for to, name in sorted(imports.items())]
    if moves:
        module["moved"] = [{"from": old, "to": new} for old, new in sorted(moves.items())]
    return json.dumps(module, indent=2, sort_keys=True) + "\n"


def unprotected(variables: Variables) -> Variables:
    """The same ground on its way to a destroy: nothing refuses to be deleted any more."""
    project, database = dict(variables["project"]), dict(variables["database"])
    if "create" in project:
        project["create"] = {**project["create"], "deletion_policy": "DELETE"}
    database |= {"delete_protection": False, "deletion_policy": "DELETE"}
    return {**variables, "project": project, "database": database}


def without_values(variables: Variables) -> Variables:
    """Secrets for a ground whose own can no longer be read: none is written, for no version has risen."""
    channels = variables["observability"]["channels"]
    return {
        "secret_values": {key: "" for key, secret in variables["secrets"].items() if "version" in secret},
        "channel_secrets": {
            key: dict.fromkeys(channel["secret_labels"], "")
            for key, channel in channels.items()
            if channel["secret_labels"]
        },
    }


def composite_address(key: str) -> str:
    """Where Terraform has the composite index of this key."""
    return f"{FIRESTORE}.{_composite(key)}"


def _variables(
    spec: EnvironmentSpec, read: Read, found: Declared, composite: Mapping[str, CompositeIndex]
) -> Variables:
    rules = of_rules(spec)
    return {
        "project": _plain(spec.project),
        "database": {name: value for name, value in _plain(spec.database).items() if name != "adopt"},
        "indexes": {
            "composite": _plain(composite),
            "fields": _plain(found.fields),
            "ledger": spec.indexes.ledger,
        },
        "ttls": _plain(found.ttls),
        "access": _plain(spec.access),
        "observability": _observability(spec),
        "secrets": {
            key: {"version": secret.version} if secret.value_from else {} for key, secret in spec.secrets.items()
        },
        "rules": {"source": read[rules]} if rules else None,
    }


def _observability(spec: EnvironmentSpec) -> Variables:
    section: Variables = _plain(spec.observability)
    for channel in section["channels"].values():
        channel["secret_labels"] = sorted(channel["secret_labels"])
    return section


def _plain(value: Any) -> Any:
    """Models by their attributes' names, without what was not said; keys and labels stay as they are."""
    if isinstance(value, BaseModel):
        return _said(value.model_dump(mode="json", by_alias=False, exclude_none=True))
    return {key: _plain(each) for key, each in value.items()}


def _said(value: Any, name: str = "") -> Any:
    if not isinstance(value, dict) or name == "labels":
        return value
    return {key: _said(each, key) for key, each in value.items() if each != ""}


def _adopted(spec: EnvironmentSpec) -> dict[str, str]:
    name = f"projects/{spec.project.id}/databases/{spec.database.name}"
    return {f"{FIRESTORE}.google_firestore_database.this": name} if spec.database.adopt else {}


def _still_declared(imports: Mapping[str, str], variables: Variables) -> dict[str, str]:
    """Terraform refuses to import what is not declared; an index may have gone from the spec since it was found."""
    here = {composite_address(key) for key in variables["indexes"]["composite"]}
    indexes = f"{FIRESTORE}.google_firestore_index."
    return {to: name for to, name in imports.items() if to in here or not to.startswith(indexes)}


def _composite(key: str) -> str:
    return f"google_firestore_index.composite[{_escaped(json.dumps(key, ensure_ascii=False))}]"


def _escaped(text: str) -> str:
    """A text that Terraform reads as a template, so that it comes out as it is."""
    return text.replace("${", "$${").replace("%{", "%%{")
