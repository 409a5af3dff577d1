import datetime as dt
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from firelift.kube.quantities import divided
from firelift.sandbox.kubelet.downward import field_value, pod_address, resource_value
from firelift.sandbox.kubelet.environment import expand
from firelift.sandbox.kubelet.logs import tail_offset
from firelift.sandbox.kubelet.payloads import File
from firelift.sandbox.kubelet.runner import starts_again
from firelift.sandbox.kubelet.status import ContainerState, pod_status, terminated, timestamp
from firelift.sandbox.kubelet.volumes import below, write_payload

POD: dict[str, Any] = {
    "metadata": {"name": "p", "namespace": "n", "uid": "u", "labels": {"b": "2", "a": 'say "x"'}, "annotations": {}},
    "spec": {
        "nodeName": "sandbox",
        "serviceAccountName": "worker",
        "containers": [{"name": "main", "resources": {"limits": {"memory": "1Gi"}, "requests": {"cpu": "250m"}}}],
    },
}
ALLOCATABLE = {"cpu": "4", "memory": "8Gi"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "1"),
        ("$(A)$(B)", "12"),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$$(A)", "$(A)"),
        ("$A ${A} $", "$A ${A} $"),
        ("", ""),
    ],
)
def test_references_in_commands_expand_as_in_kubernetes(text: str, expected: str) -> None:
    assert expand(text, {"A": "1", "B": "2"}) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadata.name", "p"),
        ("metadata.uid", "u"),
        ("metadata.labels['b']", "2"),
        ("metadata.annotations['none']", ""),
        ("metadata.labels", 'a="say \\"x\\""\nb="2"'),
        ("spec.serviceAccountName", "worker"),
        ("status.hostIP", "127.0.0.1"),
        ("status.podIP", pod_address(POD)),
    ],
)
def test_a_pod_knows_its_fields(path: str, expected: str) -> None:
    assert field_value(POD, path) == expected


def test_pods_have_loopback_addresses_of_their_own() -> None:
    found = {pod_address({"metadata": {"uid": f"pod-{number}"}}) for number in range(500)}

    assert len(found) == 500
    assert all(address in ip_network("127.64.0.0/10") for address in map(ip_address, found))


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ({"resource": "limits.memory", "divisor": "1Mi"}, "1024"),
        ({"resource": "requests.cpu", "divisor": "1m"}, "250"),
        ({"resource": "requests.cpu"}, "1"),
        ({"resource": "limits.cpu"}, "4"),
        ({"resource": "requests.memory"}, "0"),
    ],
)
def test_a_limit_that_is_not_set_is_what_the_node_has(reference: dict[str, str], expected: str) -> None:
    assert resource_value(POD, reference, "main", ALLOCATABLE) == expected


@pytest.mark.parametrize(
    ("quantity", "divisor", "expected"),
    [("1", "0", "1"), ("1500m", "1", "2"), ("1Gi", "1Ki", "1048576"), ("2k", "1", "2000"), ("1e3", "1", "1000")],
)
def test_quantities_are_divided_and_rounded_up(quantity: str, divisor: str, expected: str) -> None:
    assert divided(quantity, divisor) == expected


@pytest.mark.parametrize(
    ("policy", "code", "again"),
    [
        ("Always", 0, True),
        ("Always", 1, True),
        ("OnFailure", 0, False),
        ("OnFailure", 1, True),
        ("Never", 0, False),
        ("Never", 1, False),
    ],
)
def test_the_restart_policy_decides_what_is_started_again(policy: str, code: int, *, again: bool) -> None:
    assert starts_again(policy, code) is again


def ended(name: str, code: int) -> ContainerState:
    return ContainerState(name, "none", state=terminated(code, timestamp(), "process://1"))


def running(name: str, *, ready: bool = True) -> ContainerState:
    return ContainerState(name, "none", state={"running": {"startedAt": timestamp()}}, ready=ready)


@pytest.mark.parametrize(
    ("main", "over", "phase", "ready"),
    [
        ([ContainerState("a", "none")], False, "Pending", "False"),
        ([running("a")], False, "Running", "True"),
        ([running("a"), running("b", ready=False)], False, "Running", "False"),
        ([running("a"), ended("b", 0)], False, "Running", "False"),
        ([ended("a", 0), ended("b", 0)], True, "Succeeded", "False"),
        ([ended("a", 0), ended("b", 1)], True, "Failed", "False"),
        ([ContainerState("a", "none")], True, "Failed", "False"),
    ],
)
def test_the_phase_follows_from_the_containers(
    main: list[ContainerState], *, over: bool, phase: str, ready: str
) -> None:
    status = pod_status([], main, address="127.64.0.1", started=timestamp(), over=over, previous={})

    conditions = {each["type"]: each["status"] for each in status["conditions"]}
    assert (status["phase"], conditions["Ready"]) == (phase, ready)


def test_a_condition_keeps_its_time_until_it_changes() -> None:
    long_ago = timestamp(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    previous = {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": long_ago}]}

    same = pod_status([], [running("a")], address="127.64.0.1", started=long_ago, over=False, previous=previous)
    other = pod_status([], [ended("a", 0)], address="127.64.0.1", started=long_ago, over=True, previous=previous)

    times = [next(each for each in status["conditions"] if each["type"] == "Ready") for status in (same, other)]
    assert times[0]["lastTransitionTime"] == long_ago
    assert times[1]["lastTransitionTime"] > long_ago


@pytest.mark.parametrize(
    ("code", "expected"),
    [(0, (0, None, "Completed")), (7, (7, None, "Error")), (-15, (143, 15, "Error"))],
)
def test_an_end_by_a_signal_is_128_plus_its_number(code: int, expected: tuple[int, int | None, str]) -> None:
    state = terminated(code, timestamp(), "process://1")["terminated"]

    assert (state["exitCode"], state.get("signal"), state["reason"]) == expected


@pytest.mark.parametrize(
    ("content", "lines", "expected"),
    [
        ("a\nb\nc\n", None, "a\nb\nc\n"),
        ("a\nb\nc\n", "2", "b\nc\n"),
        ("a\nb\nc", "1", "c"),
        ("a\nb\n", "5", "a\nb\n"),
        ("a\nb\n", "0", ""),
        ("a\n\n\n", "2", "\n\n"),
        ("", "3", ""),
    ],
)
def test_the_tail_of_a_log_begins_at_a_line(tmp_path: Path, content: str, lines: str | None, expected: str) -> None:
    log = tmp_path / "0.log"
    log.write_text(content)

    assert content[tail_offset(log, lines) :] == expected


def test_a_volume_changes_in_one_step_and_loses_what_is_no_longer_in_it(tmp_path: Path) -> None:
    write_payload(tmp_path, {"keep": File(b"1", 0o644), "deep/file": File(b"2", 0o600)})
    before = (tmp_path / "keep").resolve()

    write_payload(tmp_path, {"keep": File(b"3", 0o644)})

    assert (tmp_path / "keep").read_bytes() == b"3"
    assert (tmp_path / "keep").resolve() != before
    assert sorted(entry.name for entry in tmp_path.iterdir() if not entry.name.startswith("..")) == ["keep"]


@pytest.mark.parametrize(("path", "expected"), [("/mnt/a", "mnt/a"), ("mnt", "mnt"), ("/", ".")])
def test_a_path_of_the_container_is_below_its_root(path: str, expected: str) -> None:
    assert below(Path("/root"), path) == Path("/root") / expected
