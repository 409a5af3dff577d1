import contextlib
import http.client
import json
import ssl
import subprocess

import pytest
from tests.integration.sandbox_objects import Namespace, pod, shell
from tests.waiting import eventually

from firelift.sandbox.kubectl import KubectlError, find_kubectl
from firelift.sandbox.sandbox import Sandbox


def test_the_last_lines_of_a_finished_container_are_read(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)

    space.apply(pod("speaker", shell("echo one; echo two >&2; echo three")))

    assert space.finish("speaker") == ["Succeeded"]
    assert space.kubectl("logs", "speaker").split() == ["one", "two", "three"]
    assert space.kubectl("logs", "speaker", "--tail=2").split() == ["two", "three"]


def test_a_followed_log_ends_with_its_container(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    gate = sandbox.directory / f"{namespace}-gate"
    space.apply(pod("speaker", shell(f"echo before; until test -e {gate}; do sleep 0.1; done; echo after")))
    eventually(lambda: "before" in space.kubectl("logs", "speaker"))
    command = [
        find_kubectl(),
        f"--kubeconfig={sandbox.kubeconfig}",
        f"--namespace={namespace}",
        "logs",
        "-f",
        "speaker",
    ]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        assert following.stdout.readline() == "before\n"
        gate.touch()
        rest, _ = following.communicate(timeout=60)

    assert (rest, following.returncode) == ("after\n", 0)


def test_a_log_that_is_not_there_is_refused_with_a_sentence(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    space.apply(pod("speaker", shell("echo one")))
    space.finish("speaker")

    with pytest.raises(KubectlError, match=r"previous|no such log"):
        space.kubectl("logs", "speaker", "--previous")


def test_only_the_api_server_may_read_logs_of_the_node(sandbox: Sandbox) -> None:
    node = json.loads(sandbox.kubectl("get", "node", "sandbox", "-o", "json"))
    port = node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    trust = ssl.create_default_context(cafile=str(sandbox.control_plane.cluster.certificate_authority))
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=trust, timeout=10)

    with pytest.raises(OSError, match=r"certificate required|reset|closed"):  # in TLS 1.3 the first read tells
        _read(connection)


def _read(connection: http.client.HTTPSConnection) -> None:
    with contextlib.closing(connection):
        connection.request("GET", "/containerLogs/default/any/main")
        connection.getresponse()
