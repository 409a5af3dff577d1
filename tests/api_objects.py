"""Firelift's objects in a real API server, one namespace at a time."""

import json
from typing import Any, cast

from kubernetes import config
from kubernetes.client import CustomObjectsApi
from kubernetes.client.exceptions import ApiException
from tests.manifests import Manifest

from firelift.api import approval, environment, rollout
from firelift.api.base import GROUP, VERSION
from firelift.sandbox.sandbox import Sandbox

_PLURALS = {kind.KIND: kind.PLURAL for kind in (rollout, approval, environment)}


class ApiObjects:
    """Creates and replaces objects with strict field validation, as kubectl does; `None` means accepted."""

    def __init__(self, sandbox: Sandbox, namespace: str) -> None:
        self._api = CustomObjectsApi(config.new_client_from_config(str(sandbox.kubeconfig)))  # type: ignore[no-untyped-call]
        self._namespace = namespace
        self.kubectl = sandbox.kubectl

    def refusal_of(self, manifest: Manifest) -> str | None:
        """What the API server says against creating this object; nothing is stored."""
        return _refusal(lambda: self._create(manifest, dry_run="All"))

    def create(self, manifest: Manifest) -> Manifest:
        return self._create(manifest)

    def refusal_of_change(self, manifest: Manifest) -> str | None:
        """What the API server says against this object in place of the one of that name; nothing is stored."""
        return _refusal(
            lambda: self._api.replace_namespaced_custom_object(
                *self._place(manifest),
                manifest["metadata"]["name"],
                manifest,
                dry_run="All",
                field_validation="Strict",
            )
        )

    def get(self, manifest: Manifest) -> Manifest:
        found = self._api.get_namespaced_custom_object(*self._place(manifest), manifest["metadata"]["name"])
        return cast("Manifest", found)

    def set_status(self, manifest: Manifest, status: Manifest) -> None:
        patch = json.dumps({"status": status})
        self.kubectl(
            "patch",
            _PLURALS[manifest["kind"]],
            manifest["metadata"]["name"],
            f"--namespace={self._namespace}",
            "--subresource=status",
            "--type=merge",
            f"--patch={patch}",
        )

    def _create(self, manifest: Manifest, **options: Any) -> Manifest:
        made = self._api.create_namespaced_custom_object(
            *self._place(manifest), manifest, field_validation="Strict", **options
        )
        return cast("Manifest", made)

    def _place(self, manifest: Manifest) -> tuple[str, str, str, str]:
        return GROUP, VERSION, self._namespace, _PLURALS[manifest["kind"]]


def _refusal(call: Any) -> str | None:
    try:
        call()
    except ApiException as refused:
        return str(json.loads(refused.body or "{}")["message"])
    return None
