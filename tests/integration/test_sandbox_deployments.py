import os
import signal

from tests.integration.sandbox_objects import Json, Namespace, shell
from tests.waiting import eventually

from firelift.sandbox.marks import CONTAINER_MARK, find
from firelift.sandbox.sandbox import Sandbox


def deployment(name: str, container: Json) -> Json:
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
    }
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def test_a_deployment_keeps_its_pod_running_after_its_process_is_killed(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    space.apply(deployment("server", shell("exec sleep 600")))
    space.kubectl("wait", "--for=condition=Available", "deployment/server", "--timeout=60s")
    name = space.kubectl("get", "pods", "--selector=app=server", "-o", "name").strip().removeprefix("pod/")
    (pid,) = find(CONTAINER_MARK, space.container(name)["containerID"])

    os.kill(pid, signal.SIGKILL)

    eventually(lambda: space.container(name)["restartCount"] == 1 and "running" in space.container(name)["state"])
    space.kubectl("wait", "--for=condition=Available", "deployment/server", "--timeout=60s")
    assert find(CONTAINER_MARK, space.container(name)["containerID"]) not in ([], [pid])


def test_scaling_to_nothing_ends_the_process(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    space.apply(deployment("server", shell("exec sleep 600")))
    space.kubectl("wait", "--for=condition=Available", "deployment/server", "--timeout=60s")
    name = space.kubectl("get", "pods", "--selector=app=server", "-o", "name").strip().removeprefix("pod/")
    container_id = space.container(name)["containerID"]

    space.kubectl("scale", "deployment/server", "--replicas=0")

    eventually(lambda: not space.kubectl("get", "pods", "--selector=app=server", "-o", "name"))
    assert find(CONTAINER_MARK, container_id) == []
