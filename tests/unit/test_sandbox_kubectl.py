"""The sandbox waits for custom resources that the API server has accepted and said nothing about yet."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from firelift.sandbox.kubectl import wait_until_established

GROUP = "apiextensions.k8s.io"
PATH = f"/apis/{GROUP}/v1/customresourcedefinitions"
CRD: dict[str, Any] = {
    "apiVersion": f"{GROUP}/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.example.com", "uid": "1", "resourceVersion": "1"},
}
ANSWERS: dict[str, dict[str, Any]] = {
    "/api": {"kind": "APIVersions", "versions": []},
    "/apis": {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [{"name": GROUP, "versions": [{"groupVersion": f"{GROUP}/v1", "version": "v1"}]}],
    },
    f"/apis/{GROUP}/v1": {
        "kind": "APIResourceList",
        "groupVersion": f"{GROUP}/v1",
        "resources": [
            {
                "name": "customresourcedefinitions",
                "singularName": "customresourcedefinition",
                "namespaced": False,
                "kind": "CustomResourceDefinition",
                "verbs": ["get", "list", "watch"],
            }
        ],
    },
}
UNSAID = {**CRD, "status": {"conditions": None}}
ACCEPTED = {
    **CRD,
    "metadata": {**CRD["metadata"], "resourceVersion": "2"},
    "status": {"conditions": [{"type": "Established", "status": "True"}]},
}


class _Api(BaseHTTPRequestHandler):
    """An API server that has no conditions for its only object at the first look, and has them at the next."""

    looks = 0

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        answer = ANSWERS.get(path)
        if path == f"{PATH}/things.example.com":
            answer = ACCEPTED if _Api.looks else UNSAID
            _Api.looks += 1
        self.send_response(200 if answer else 404)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer or {"kind": "Status", "code": 404}).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"http://127.0.0.1:{server.server_port}"
        clusters = [{"name": "fake", "cluster": {"server": host}}]
        contexts = [{"name": "fake", "context": {"cluster": "fake", "user": ""}}]
        config = {"apiVersion": "v1", "kind": "Config", "clusters": clusters, "contexts": contexts}
        path = tmp_path / "kubeconfig"
        path.write_text(json.dumps({**config, "current-context": "fake"}), encoding="utf-8")
        yield path
        server.shutdown()


def test_a_custom_resource_without_conditions_is_waited_for(kubeconfig: Path) -> None:
    wait_until_established(kubeconfig, "customresourcedefinition/things.example.com")
    assert _Api.looks == len(["without conditions", "established"])
