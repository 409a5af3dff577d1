"""What an environment is planned from: its spec, what that names in the cluster, and the bundled modules."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from firelift.api.digest import digest
from firelift.environment.credentials import FIELD, KEY_FILE, TOKEN, credentials
from firelift.environment.neighbours import prefix_of
from firelift.environment.observation import Environment, Inputs
from firelift.environment.references import Holder, Read, Reference, references, said
from firelift.environment.render import MODULES, Rendered, Staging, render
from firelift.environment.state import Run
from firelift.environment.unusable import Missing, Unusable
from firelift.infra.terraform.backend import Backend, GcsBackend, KubernetesBackend, state_suffix
from firelift.infra.terraform.configuration import Configuration
from firelift.infra.terraform.settings import google_identity
from firelift.kube.client import Cluster, Json
from firelift.kube.errors import NotFound, Refused

_FORBIDDEN = 403
_ENDANGERED = (
    "`terraform.backend.kubernetes.namespace` is the environment's own: a state there would go down with the namespace,"
    " before what it knows of is destroyed; leave it empty for the operator's, or name another one"
)
_AT_HOME = (
    "namespace {} is the operator's own, where the states and saved plans of all environments are: one that lives there"
    " could name them as its Secrets; create it in a namespace of its team's"
)


@dataclass(frozen=True, slots=True)
class Material:
    """`inputs` says why nothing can be rendered, if that is so.

    `identity` is Terraform's own environment: of the credentials that are named, or empty for the operator's own. None:
    credentials are named and cannot be had, so that nothing may be run.
    """

    environment: Environment
    inputs: Inputs
    modules: Mapping[str, str] = field(repr=False)
    identity: Mapping[str, str] | None = field(repr=False)
    read: Read = field(repr=False, default_factory=dict)
    rendered: Rendered | None = field(repr=False, default=None)

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


async def gather(cluster: Cluster, environment: Environment, modules: Mapping[str, str], home: str) -> Material:
    """Read what the spec names in the environment's own namespace, and render it; `home` is the operator's."""
    if environment.namespace == home:
        told = _AT_HOME.format(home)
        return Material(environment, Inputs(digest="", invalid=told, unidentified=told), modules, None)
    named = references(environment.spec)
    held = await _held(cluster, environment, named)
    try:
        identity = _identity(environment, held)
    except (Missing, Unusable) as error:
        return Material(environment, replace(_unrendered(error), unidentified=str(error)), modules, None)
    try:
        _check(environment, held)
        read = _read(named, held)
        _check_values(read)
        rendered = render(environment.spec, read)
    except (Missing, Unusable) as error:
        return Material(environment, _unrendered(error), modules, identity)
    return Material(environment, _inputs(rendered, modules, read), modules, identity, read, rendered)


def remedy(namespace: str) -> str:
    """How the operator comes to read and write Secrets of a namespace."""
    return (
        f"name {namespace} in `terraform.secretNamespaces` of the chart's values, or bind the ClusterRole "
        f"firelift-environment-secrets to it by a RoleBinding in namespace {namespace}"
    )


def backend_of(environment: Environment, namespace: str) -> Backend:
    """Where the state is; `namespace` is the operator's own."""
    backend = environment.spec.terraform.backend
    if backend.gcs is not None:
        return GcsBackend(backend.gcs.bucket, prefix_of(environment.namespace, environment.name, backend.gcs.prefix))
    chosen = backend.kubernetes.namespace if backend.kubernetes is not None else ""
    return KubernetesBackend(chosen or namespace, state_suffix(environment.namespace, environment.name))


@dataclass(frozen=True, slots=True)
class _Held:
    values: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    refused: str = ""


_All: TypeAlias = Mapping[tuple[Holder, str], _Held]


async def _held(cluster: Cluster, environment: Environment, named: tuple[Reference, ...]) -> _All:
    wanted = {(each.holder, each.name) for each in named}
    if secret := environment.spec.terraform.credentials.secret_name:
        wanted.add((Holder.SECRET, secret))
    return dict(zip(wanted, await asyncio.gather(*(_get(cluster, environment, *each) for each in wanted)), strict=True))


async def _get(cluster: Cluster, environment: Environment, holder: Holder, name: str) -> _Held:
    plural = {Holder.CONFIG_MAP: "configmaps", Holder.SECRET: "secrets"}[holder]
    try:
        document = await cluster.get(f"/api/v1/namespaces/{environment.namespace}/{plural}/{name}")
    except NotFound:
        return _Held()
    except Refused as error:
        if error.status != _FORBIDDEN:
            raise
        namespace = environment.namespace
        rights = (
            remedy(namespace) if holder is Holder.SECRET else f"it needs `get` on configmaps in namespace {namespace}"
        )
        return _Held(refused=f"{holder} {name} may not be read by the operator: {rights}")
    return _Held(_plain(document) if holder is Holder.CONFIG_MAP else _decoded(document.get("data")))


def _identity(environment: Environment, held: _All) -> dict[str, str]:
    name = environment.spec.terraform.credentials.secret_name
    if not name:
        return {}
    seen = held[Holder.SECRET, name]
    if seen.refused:
        raise Missing(seen.refused)
    own = [Reference(Holder.SECRET, name, key, FIELD) for key in (KEY_FILE, TOKEN)]
    found = credentials(name, {each.key: text for each, text in _read(tuple(own), held).items()})
    return google_identity(credentials_json=found.key_file, access_token=found.access_token)


def _check(environment: Environment, held: _All) -> None:
    backend = environment.spec.terraform.backend.kubernetes
    if backend is not None and backend.namespace == environment.namespace:
        raise Unusable(_ENDANGERED)
    if refused := [each.refused for each in held.values() if each.refused]:
        raise Missing("; ".join(sorted(refused)))


def _check_values(read: Read) -> None:
    empty = [str(each) for each, text in read.items() if each.holder is Holder.SECRET and not text]
    if empty:
        raise Missing(f"{empty[0]} is empty; it is planned as soon as there is a value")


def _read(named: tuple[Reference, ...], held: _All) -> Read:
    found = {each: held[each.holder, each.name].values.get(each.key) for each in named}
    return {each: _text(each, value) for each, value in found.items() if value is not None}


def _text(reference: Reference, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Unusable(
            f"{reference} is not UTF-8 text, and Terraform takes nothing else: store it encoded in base64, and let "
            "whoever reads it decode it"
        ) from None  # the error quotes the value


def _unrendered(error: Missing | Unusable) -> Inputs:
    told = str(error)
    return Inputs(digest="", missing=told) if isinstance(error, Missing) else Inputs(digest="", invalid=told)


def _inputs(rendered: Rendered, modules: Mapping[str, str], read: Read) -> Inputs:
    return Inputs(
        digest=digest({"rendered": rendered.digest, "modules": dict(modules)}),
        composite=rendered.declared.composite,
        ttls=rendered.declared.every_ttl,
        said=said(read),
    )


def _plain(document: Json) -> dict[str, bytes]:
    texts = {key: text.encode() for key, text in (document.get("data") or {}).items()}
    return texts | _decoded(document.get("binaryData"))


def _decoded(data: Mapping[str, str] | None) -> dict[str, bytes]:
    return {key: base64.b64decode(value) for key, value in (data or {}).items()}
