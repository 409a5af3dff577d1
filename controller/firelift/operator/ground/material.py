"""What an environment is planned from: its spec, what that names in the cluster, and the bundled modules."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from firelift.api.digest import digest
from firelift.environment.observation import Environment, Inputs
from firelift.environment.references import Holder, Read, references
from firelift.environment.render import MODULES, Rendered, Staging, render
from firelift.environment.state import Run
from firelift.environment.unusable import Missing, Unusable
from firelift.infra.terraform.backend import Backend, GcsBackend, KubernetesBackend, state_suffix
from firelift.infra.terraform.configuration import Configuration
from firelift.infra.terraform.settings import google_identity
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import NotFound, Refused

CREDENTIALS, TOKEN = "credentials.json", "access_token"
_FORBIDDEN = 403
_ENDANGERED = (
    "`terraform.backend.kubernetes.namespace` is the environment's own: a state there would go down with the namespace,"
    " before what it knows of is destroyed; leave it empty for the operator's, or name another one"
)


@dataclass(frozen=True, slots=True)
class Material:
    """`inputs` says why nothing can be rendered, if that is so. `identity` is Terraform's own environment."""

    environment: Environment
    inputs: Inputs
    modules: Mapping[str, str] = field(repr=False)
    read: Read = field(repr=False)
    rendered: Rendered | None = field(repr=False, default=None)
    identity: Mapping[str, str] = field(repr=False, default_factory=dict)

    def staged(self, run: Run) -> Rendered:
        """What is planned for this run, with what it takes over and keeps.

        Raises:
            Missing, Unusable: nothing can be rendered.
        """
        return render(
            self.environment.spec,
            self.read,
            Staging(
                imports={each.address: each.id for each in run.imports},
                kept={each.key: each.index for each in run.kept},
                moves={each.source: each.target for each in run.moves},
            ),
        )

    def configuration(self, rendered: Rendered, backend: Backend) -> Configuration:
        """The same as Terraform is given it."""
        modules = {f"{MODULES}/{path}": text for path, text in self.modules.items()}
        return Configuration({**modules, **rendered.files}, backend, rendered.variables, rendered.secrets)


async def gather(cluster: Cluster, environment: Environment, modules: Mapping[str, str]) -> Material:
    """Read what the spec names, and render it."""
    named = references(environment.spec)
    wanted = {(each.holder, each.name) for each in named}
    held = await asyncio.gather(*(_read(cluster, environment, *each) for each in wanted))
    found = dict(zip(wanted, held, strict=True))
    read = {each: text for each in named if (text := found[each.holder, each.name].values.get(each.key)) is not None}
    if _endangered(environment):
        return Material(environment, Inputs(digest="", invalid=_ENDANGERED), modules, read)
    identity, missing = await _identity(cluster, environment)
    refused = [each.refused for each in found.values() if each.refused]
    missing = "; ".join(filter(None, (missing, *refused)))
    if missing:
        return Material(environment, Inputs(digest="", missing=missing), modules, read)
    return _rendered(environment, modules, read, identity)


def _endangered(environment: Environment) -> bool:
    """Whether the state would go down with the object's own namespace."""
    backend = environment.spec.terraform.backend.kubernetes
    return backend is not None and backend.namespace == environment.namespace


def backend_of(environment: Environment, namespace: str) -> Backend:
    """Where the state is; `namespace` is the operator's own."""
    backend = environment.spec.terraform.backend
    place = f"{environment.namespace}/{environment.name}"
    if backend.gcs is not None:
        return GcsBackend(backend.gcs.bucket, backend.gcs.prefix or place)
    chosen = backend.kubernetes.namespace if backend.kubernetes is not None else ""
    return KubernetesBackend(chosen or namespace, state_suffix(environment.namespace, environment.name))


def _rendered(
    environment: Environment, modules: Mapping[str, str], read: Read, identity: Mapping[str, str]
) -> Material:
    try:
        rendered = render(environment.spec, read)
    except Missing as error:
        return Material(environment, Inputs(digest="", missing=str(error)), modules, read)
    except Unusable as error:
        return Material(environment, Inputs(digest="", invalid=str(error)), modules, read)
    inputs = Inputs(
        digest=digest({"rendered": rendered.digest, "modules": dict(modules)}),
        composite=rendered.declared.composite,
        ttls=rendered.declared.ttls,
    )
    return Material(environment, inputs, modules, read, rendered, identity)


@dataclass(frozen=True, slots=True)
class _Held:
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    refused: str = ""


async def _read(cluster: Cluster, environment: Environment, holder: Holder, name: str) -> _Held:
    plural = {Holder.CONFIG_MAP: "configmaps", Holder.SECRET: "secrets"}[holder]
    try:
        document = await cluster.get(f"/api/v1/namespaces/{environment.namespace}/{plural}/{name}")
    except NotFound:
        return _Held()
    except Refused as error:
        if error.status != _FORBIDDEN:
            raise
        return _Held(
            refused=f"{holder} {name} may not be read by the operator: bind the ClusterRole "
            f"firelift-environment-secrets to it by a RoleBinding in namespace {environment.namespace}"
        )
    return _Held(_plain(document) if holder is Holder.CONFIG_MAP else _decoded(document))


async def _identity(cluster: Cluster, environment: Environment) -> tuple[dict[str, str], str]:
    name = environment.spec.terraform.credentials.secret_name
    if not name:
        return {}, ""
    held = await _read(cluster, environment, Holder.SECRET, name)
    identity = google_identity(
        credentials_json=held.values.get(CREDENTIALS, ""), access_token=held.values.get(TOKEN, "")
    )
    if identity or held.refused:
        return identity, held.refused
    return {}, f"not found: key {CREDENTIALS} or {TOKEN} of Secret {name} (`terraform.credentials`)"


def _plain(document: Json) -> dict[str, str]:
    return dict(document.get("data") or {})


def _decoded(document: Json) -> dict[str, str]:
    data = document.get("data") or {}
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}
