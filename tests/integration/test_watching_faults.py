"""What the API server answers to a watch, to a list and at the start, and what becomes of an operator that hears it."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.api_proxy import ApiCall, ApiFault, ApiProxy, Decide
from tests.waiting import eventually
from yarl import URL

from firelift.api.base import API_VERSION
from firelift.sandbox.processes import Process
from firelift.sandbox.sandbox import Sandbox

SPEC = {
    "suspend": True,
    "database": {"project": "demo-project"},
    "migrations": [{"name": "m", "source": {"collection": "a"}, "target": {"document": "b/{id}"}, "entityKey": "u"}],
    "phases": [{"name": "one", "steps": [{"soak": {"seconds": 1, "evidence": "None"}}]}],
}
GONE = json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}).encode()
BROKEN = json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": 500, "message": "etcd timed out"}}).encode()
PAGE = b"<html>a proxy's own page</html>"
LEASE_SECONDS, WHILE_SECONDS = 30, 3.0


@dataclass
class Scene:
    """An operator behind a proxy that looks after one namespace."""

    sandbox: Sandbox
    proxy: ApiProxy
    name: str
    operator: Process

    def answer(self, watch: ApiFault, *lists: ApiFault) -> None:
        """Cut every connection, answer the next watch of rollouts and the next lists of them so, and wait for that."""
        left = {True: [watch], False: list(lists)}

        def decide(call: ApiCall) -> ApiFault | None:
            faults = left[call.watch] if "/migrationrollouts?" in call.path and call.method == "GET" else []
            return faults.pop(0) if faults else None

        self.trouble(decide)
        eventually(lambda: not (left[True] or left[False]))

    def trouble(self, decide: Decide) -> None:
        """From now on, for connections that are made anew."""
        self.proxy.decide = decide
        with self.proxy.refusing():
            pass

    def sees(self, name: str) -> bool:
        """Whether an object that is made now gets a status; waits for it."""
        body = {"apiVersion": API_VERSION, "kind": "MigrationRollout", "metadata": {"name": name}, "spec": SPEC}
        self.sandbox.kubectl("create", "-n", self.name, "-f", "-", stdin=json.dumps(body))
        get = ("get", "migrationrollout", name, "-n", self.name, "-o", "jsonpath={.status.reason}")
        eventually(lambda: self.sandbox.kubectl(*get) == "Suspended" or not self.operator.running)
        return self.operator.running


@pytest.fixture(scope="module")
def scene(sandbox: Sandbox) -> Iterator[Scene]:
    sandbox.install_crds()
    sandbox.install_manifests()
    name = f"watch-{secrets.token_hex(4)}"
    sandbox.kubectl("create", "namespace", name)
    proxy = ApiProxy(sandbox, name)
    proxy.decide = Hostile()
    settings = {
        "KUBECONFIG": str(proxy.kubeconfig),
        "FIRELIFT_NAMESPACES": name,
        "FIRELIFT_LEASE_NAME": name,
        "FIRELIFT_LEASE_DURATION_SECONDS": str(LEASE_SECONDS),
    }
    operator = sandbox.start_operator(name, settings)
    yield Scene(sandbox, proxy, name, operator)
    operator.kill()
    sandbox.supervisor.processes.remove(operator)
    proxy.close()


class Hostile:
    """Whatever an operator asks for first at its start is answered wrongly once."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def __call__(self, call: ApiCall) -> ApiFault | None:
        path = call.path.partition("?")[0]
        self.asked[path] += 1
        faults = {"/api": ApiFault(503), "/apis": ApiFault(410), "/apis/batch/v1": ApiFault(passed=20)}
        known = {
            "/api/v1/namespaces/kube-system": ApiFault(500),
            "/apis/firelift.dev/v1alpha1": ApiFault(200, body=PAGE),
        }
        return {**faults, **known}.get(path) if self.asked[path] == 1 else None


@pytest.mark.parametrize(
    ("watch", "lists"),
    [
        (ApiFault(event=GONE), [ApiFault(410), ApiFault(passed=20)]),
        (ApiFault(event=BROKEN), [ApiFault(200, body=PAGE)]),
        (ApiFault(200, body=PAGE), []),
        (ApiFault(410), []),
    ],
    ids=["too old", "broken", "no watch at all", "refused"],
)
def test_what_is_answered_to_a_watch_ends_no_operator_and_hides_nothing_from_it(
    scene: Scene, watch: ApiFault, lists: list[ApiFault]
) -> None:
    scene.answer(watch, *lists)

    assert scene.sees(f"behind-{secrets.token_hex(4)}"), scene.operator.tail()
    told = [json.loads(line) for line in scene.operator.log.read_text().splitlines()]
    assert [line for line in told if "exception" in line] == []


def test_a_watch_that_is_refused_for_its_age_is_not_asked_for_for_ever(scene: Scene) -> None:
    expired: list[str] = []

    def decide(call: ApiCall) -> ApiFault | None:
        version = URL(call.path, encoded=True).query.get("resourceVersion", "")
        if not call.watch or "/migrationrollouts?" not in call.path:
            return None
        expired.extend([] if expired else [version])
        return ApiFault(410) if version in expired else None

    scene.trouble(decide)
    eventually(lambda: bool(expired))

    assert scene.sees(f"expired-{secrets.token_hex(4)}"), scene.operator.tail()
    scene.proxy.decide = lambda _: None


@pytest.mark.parametrize("watches_only", [False, True], ids=["nothing but 503", "every watch is cut at once"])
def test_an_api_server_in_trouble_is_not_stormed(scene: Scene, *, watches_only: bool) -> None:
    refused, cut = ApiFault(503), ApiFault(stream_seconds=0.0)
    scene.trouble(lambda call: (cut if call.watch else None) if watches_only else refused)
    began, before = time.monotonic(), len(scene.proxy.calls)

    eventually(lambda: time.monotonic() - began > WHILE_SECONDS)

    seconds = time.monotonic() - began
    asked = scene.proxy.calls[before:]
    # Four watches, each asked for once a second, the Lease, and the turn of an object now and then.
    assert len(asked) / seconds < 12, Counter((call.method, call.path.partition("?")[0], call.watch) for call in asked)
    scene.proxy.decide = lambda _: None
    assert scene.sees(f"afterwards-{secrets.token_hex(4)}"), scene.operator.tail()
