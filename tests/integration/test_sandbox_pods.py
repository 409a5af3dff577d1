import datetime as dt

from tests.integration.sandbox_objects import Namespace, pod, shell
from tests.waiting import eventually

from firelift.sandbox.marks import find
from firelift.sandbox.ports import free_port
from firelift.sandbox.sandbox import Sandbox


def test_an_exit_code_and_its_times_are_in_the_status(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)

    space.apply(pod("fails", shell("sleep 1.1; exit 3")))

    assert space.finish("fails") == ["Failed"]
    ended = space.container("fails")["state"]["terminated"]
    times = [dt.datetime.fromisoformat(ended[key]) for key in ("startedAt", "finishedAt")]
    assert (ended["exitCode"], ended["reason"]) == (3, "Error")
    assert dt.timedelta(seconds=1) <= times[1] - times[0] < dt.timedelta(seconds=60)
    assert space.container("fails")["imageID"].startswith("sandbox@sha256:")


def test_a_process_killed_by_a_signal_is_told_from_one_that_exits(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)

    # Kubernetes reads $$ in a command as an escaped $.
    space.apply(pod("killed", shell("kill -9 $$$$")))

    assert space.finish("killed") == ["Failed"]
    ended = space.container("killed")["state"]["terminated"]
    assert (ended["exitCode"], ended["signal"]) == (137, 9)


def test_a_command_that_does_not_exist_fails_the_pod_with_the_reason(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)

    space.apply(pod("typo", {"name": "main", "image": "none", "command": ["no-such-program"]}))

    assert space.finish("typo") == ["Failed"]
    ended = space.container("typo")["state"]["terminated"]
    assert ended["reason"] == "StartError"
    assert "no-such-program" in ended["message"]


def test_a_deleted_pod_is_asked_first_and_its_object_is_there_until_the_process_has_ended(
    sandbox: Sandbox, namespace: str
) -> None:
    space = Namespace(sandbox, namespace)
    mark = sandbox.directory / f"{namespace}-asked"
    space.apply(
        pod("polite", shell(f"trap 'sleep 1; touch {mark}; exit 0' TERM; echo ready; while :; do sleep 0.1; done"))
    )
    eventually(lambda: "ready" in space.kubectl("logs", "polite"))

    space.kubectl("delete", "pod", "polite")

    assert mark.exists()


def test_a_pod_that_ignores_sigterm_is_killed_after_its_grace(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    script = "trap '' TERM; setsid sleep 600 & echo ready; while :; do sleep 0.1; done"
    space.apply(pod("stubborn", shell(script), terminationGracePeriodSeconds=2))
    eventually(lambda: "ready" in space.kubectl("logs", "stubborn"))
    container_id = space.container("stubborn")["containerID"]
    asked = dt.datetime.now(dt.UTC)

    space.kubectl("delete", "pod", "stubborn")

    assert dt.timedelta(seconds=1) < dt.datetime.now(dt.UTC) - asked < dt.timedelta(seconds=30)
    assert find("FIRELIFT_SANDBOX_CONTAINER", container_id) == []


def test_a_pod_deleted_by_force_leaves_no_process(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    space.apply(pod("forced", shell("trap '' TERM; echo ready; while :; do sleep 0.1; done")))
    eventually(lambda: "ready" in space.kubectl("logs", "forced"))
    container_id = space.container("forced")["containerID"]

    space.kubectl("delete", "pod", "forced", "--force", "--grace-period=0")

    assert eventually(lambda: not find("FIRELIFT_SANDBOX_CONTAINER", container_id))


def test_init_containers_run_in_sequence_before_the_others(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    mounts = [{"name": "shared", "mountPath": "/shared"}]
    steps = [
        shell(f"echo {name} >> $FIRELIFT_POD_ROOT/shared/order", name=name, volumeMounts=mounts)
        for name in ("first", "second")
    ]
    container = shell("cat $FIRELIFT_POD_ROOT/shared/order", volumeMounts=mounts)

    space.apply(pod("ordered", container, initContainers=steps, volumes=[{"name": "shared", "emptyDir": {}}]))

    assert space.finish("ordered") == ["Succeeded"]
    assert space.kubectl("logs", "ordered", "--container=main").split() == ["first", "second"]


def test_a_failed_init_container_fails_a_pod_that_is_never_restarted(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)

    space.apply(pod("blocked", shell("echo never"), initContainers=[shell("exit 9", name="check")]))

    assert space.finish("blocked") == ["Failed"]
    status = space.get("pod", "blocked")["status"]
    assert status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 9
    assert "waiting" in status["containerStatuses"][0]["state"]


def test_a_container_that_fails_is_started_again_after_a_back_off(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    script = "test -e seen && exit 0; touch seen; echo first; exit 5"

    space.apply(pod("retried", shell(script), restartPolicy="OnFailure"))

    assert space.finish("retried") == ["Succeeded"]
    status = space.container("retried")
    assert (status["restartCount"], status["lastState"]["terminated"]["exitCode"]) == (1, 5)
    assert space.kubectl("logs", "retried", "--previous").strip() == "first"


def test_a_pod_is_ready_only_when_its_http_probe_passes(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    port = free_port()
    server = f"exec python -m http.server --bind $POD_IP --directory $FIRELIFT_POD_ROOT {port}"
    probe = {"httpGet": {"path": "/ready", "port": "web"}, "periodSeconds": 1, "timeoutSeconds": 5}
    script = f"until test -e {sandbox.directory}/{namespace}-open; do sleep 0.1; done; touch ready; {server}"
    address = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    ports = [{"name": "web", "containerPort": port}]
    container = shell(script, readinessProbe=probe, ports=ports, env=[address])
    space.apply(pod("web", container, terminationGracePeriodSeconds=1))
    eventually(lambda: space.phase("web") == "Running")
    assert space.container("web")["ready"] is False

    (sandbox.directory / f"{namespace}-open").touch()

    space.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")


def test_a_container_that_fails_its_liveness_probe_is_started_again(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    probe = {"exec": {"command": ["test", "-e", "alive"]}, "periodSeconds": 1, "failureThreshold": 2}
    script = "test -e seen && touch alive; touch seen; exec sleep 600"
    container = shell(script, livenessProbe=probe)

    space.apply(pod("stuck", container, restartPolicy="Always", terminationGracePeriodSeconds=1))

    eventually(lambda: space.container("stuck").get("restartCount") == 1)
    eventually(lambda: "running" in space.container("stuck")["state"])
    assert space.container("stuck")["lastState"]["terminated"]["signal"] == 15


def test_an_end_during_an_outage_of_the_api_server_is_reported_after_it(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    gate = sandbox.directory / f"{namespace}-gate"
    space.apply(pod("unseen", shell(f"until test -e {gate}; do sleep 0.1; done; exit 6")))
    eventually(lambda: space.phase("unseen") == "Running")
    container_id = space.container("unseen")["containerID"]

    sandbox.control_plane.apiserver.pause()
    try:
        gate.touch()
        eventually(lambda: not find("FIRELIFT_SANDBOX_CONTAINER", container_id))
    finally:
        sandbox.control_plane.apiserver.resume()

    assert space.finish("unseen") == ["Failed"]
    assert space.container("unseen")["state"]["terminated"]["exitCode"] == 6
