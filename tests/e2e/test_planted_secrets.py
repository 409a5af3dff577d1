"""Values that are nobody's business are planted wherever there are some, and looked for wherever people look."""

from __future__ import annotations

import io
import json
import os
import secrets
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.e2e.conftest import Operators
from tests.e2e.console import ConsoleOperator, start_console_operator
from tests.e2e.ground import SYSTEM, Ground
from tests.e2e.objects import ObjectWorld
from tests.e2e.world import MIGRATION, World, migrate

from firelift.sandbox.sandbox import Sandbox

PLANTED = "pl4nted-5ecret"
"""The beginning of each of them."""

VALUE, KEY, LATER, VARIABLE = (f"{PLANTED}-{name}" for name in ("value", "key", "later", "variable"))
TRANSFORM = {
    "set": {
        "createdAt": "timestamp(doc.ts)",
        "kind": "has(doc.kinds) ? doc.kinds[doc.pick] : ''",
        "match": "has(doc.pattern) ? doc.card.matches('(' + doc.pattern) : false",
    }
}


@pytest.fixture
def console(installed: Sandbox, operator: Operators) -> Iterator[Callable[[], ConsoleOperator]]:
    """Puts an operator that logs for a console, and serves the page, into the place of the one that is there."""
    started: list[ConsoleOperator] = []

    def take_over() -> ConsoleOperator:
        operator.kill()
        started.append(start_console_operator(installed, f"console-{secrets.token_hex(4)}"))
        return started[-1]

    yield take_over
    for each in started:
        installed.supervisor.forget(each.process)


def looked_at(world: ObjectWorld, tmp_path: Path) -> dict[str, str]:
    """All that people and their tools see of a namespace, by where it is seen."""
    kinds = "mroll,fsenv,migrationapprovals,jobs,pods,configmaps,events"
    logs = world.sandbox.directory / "kubelet" / "logs"
    return {
        "objects": world.sandbox.kubectl("get", kinds, "-n", world.namespace, "-o", "yaml"),
        "leases": world.sandbox.kubectl("get", "leases", "-n", SYSTEM, "-o", "yaml"),
        **{f"worker {each}": each.read_text() for each in logs.glob(f"{world.namespace}_*/**/*.log")},
        "status": plugin(world, "status", world.name),
        "explain": plugin(world, "explain", world.name),
        **report(world, tmp_path / "report.zip"),
    }


def said(world: ObjectWorld, operator: Operators) -> dict[str, str]:
    """What the operator tells of itself."""
    return {"operator": operator.current.log.read_text(encoding="utf-8"), **measured(world, operator)}


def plugin(world: ObjectWorld, *arguments: str) -> str:
    """What `kubectl firelift` says of the object."""
    kind = "environment/" if isinstance(world, Ground) else ""
    command = [sys.executable, "-m", "firelift.cli", arguments[0], kind + arguments[1], *arguments[2:]]
    told = subprocess.run(
        [*command, "-n", world.namespace],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "KUBECONFIG": str(world.sandbox.kubeconfig)},
        timeout=120,
    )
    assert told.stdout, told.stderr
    return told.stdout + told.stderr


def report(world: ObjectWorld, file: Path) -> dict[str, str]:
    """The files of a bug report."""
    plugin(world, "report", world.name, "--file", str(file))
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        return {f"report {name}": archive.read(name).decode() for name in archive.namelist()}


def measured(world: ObjectWorld, operator: Operators) -> dict[str, str]:
    """What Prometheus is told."""
    lines = operator.current.log.read_text(encoding="utf-8").splitlines()
    port = [json.loads(line)["ports"][0] for line in lines if '"standing by"' in line][-1]
    listed = json.loads(world.sandbox.kubectl("get", "pods", "-n", SYSTEM, "-o", "json"))["items"]
    # Each pod has an address of its own on this machine; an operator that is a process has none.
    hosts = [pod["status"]["podIP"] for pod in listed if pod["status"].get("phase") == "Running"] or ["127.0.0.1"]
    found = {}
    for host in hosts:
        with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=60) as answer:
            found[f"metrics of {host}"] = answer.read().decode()
    return found


def untold(seen: dict[str, str], *planted: str) -> None:
    """None of it is anywhere."""
    found = [(where, each) for where, text in seen.items() for each in planted if each in text]
    assert found == []


def tokens(world: ObjectWorld) -> set[str]:
    """Those that are mounted into pods; a pod may go while its files are looked at."""
    found: set[str] = set()
    for file in (world.sandbox.directory / "kubelet").rglob("token"):
        with suppress(OSError):
            found.add(file.read_text(encoding="utf-8").strip())
    return found - {""}


def test_what_documents_and_variables_hold_is_in_the_database_and_nowhere_else(
    world: World, operator: Operators, console: Callable[[], ConsoleOperator], tmp_path: Path
) -> None:
    world.seed(30)
    for number in range(30):
        world.database.document(f"logs/{number:05d}").update({"card": VALUE})
    world.database.document("logs/00003").update({"kinds": {"a": 1}, "pick": KEY})
    world.database.document("logs/00005").update({"pattern": VALUE})
    world.database.document("logs/00007").update({"ts": VALUE})
    world.sandbox.kubectl("create", "secret", "generic", "app", "-n", world.namespace, f"--from-literal=key={VARIABLE}")
    variable = {"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "app", "key": "key"}}}
    again = {"verify": {"sample": "100%", "maxMismatch": "100%", "recheckSeconds": 0}}
    steps = [migrate(100), {"approve": {"count": 1}}, again, {"approve": {"count": 1}, "name": "end"}]
    manifest = world.manifest(
        [{"name": "everyone", "steps": steps}],
        migrations=[MIGRATION | {"transform": TRANSFORM}],
        worker={"parallelism": 1, "env": [variable]},
    )
    world.apply(manifest)
    world.until_reason("AwaitingApproval", seconds=180)
    changed = min(world.target())
    world.database.document(changed).update({"card": LATER})
    world.approve()
    world.until(
        lambda status: status.get("step") == "end" and status["reason"] == "AwaitingApproval", "the last step", 180
    )
    before = said(world, operator)
    by_hand = console()
    world.patch(intent="Revert")
    told = world.until_reason("RevertedWithConflicts", seconds=180)

    assert told["phases"][0]["deadLetters"] == 3
    letters = [each.to_dict() or {} for each in world.database.collection_group("firelift_deadletters").stream()]
    assert KEY in "".join(str(letter["reason"]) for letter in letters), "the ledger says all of it"
    assert world.database.document(changed).get().to_dict() is not None, "the app's own write stays"
    world.until_fact(lambda: "RevertedWithConflicts" in by_hand.log, "the log has come so far")
    world.until_fact(lambda: "RevertedWithConflicts" in by_hand.shown(world), "the page has come so far")
    seen = {**before, **looked_at(world, tmp_path), **by_hand.looked_at(world)}
    assert {"objects", "operator", "status", "report object.yaml"} <= seen.keys()
    assert "AwaitingApproval" in seen["operator"]
    assert world.namespace in seen["console"]
    assert '"event"' not in seen["console"], "it is for people, not for a machine"
    assert f'"namespace": "{world.namespace}"' in seen["page"]
    assert all("firelift" in text for where, text in seen.items() if where.startswith("metrics"))
    assert "logs/" in seen["objects"], "names of documents are shown"
    untold(seen, PLANTED, *tokens(world))


def test_what_an_environments_secrets_hold_is_told_by_no_plan_no_error_and_no_log(
    ground: Ground, operator: Operators, console: Callable[[], ConsoleOperator], tmp_path: Path
) -> None:
    ground.bind_secrets()
    create = ("create", "secret", "generic", "-n", ground.namespace)
    ground.sandbox.kubectl(*create, "app", f"--from-literal=key={VALUE}", f"--from-literal=pager={KEY}")
    ground.sandbox.kubectl(*create, "google", f"--from-literal=access_token=ya29.{VARIABLE}")
    pager = {"type": "pagerduty", "secretLabels": {"service_key": {"name": "app", "key": "pager"}}}
    spec = {
        "secrets": {"api-key": {"valueFrom": {"name": "app", "key": "key"}, "version": 1}},
        "observability": {"channels": {"pager": pager}},
        "indexes": {},
        "ttls": {},
    }
    ground.apply(ground.manifest(**spec, terraform={"credentials": {"secretName": "google"}}))
    ground.until_reason("AwaitingApproval", seconds=180)
    # A provider that echoes the payload, and a header, into its error.
    echo = f"Invalid payload {VALUE}, labels {KEY}, Authorization: Bearer ya29.{VARIABLE}"
    ground.control("faults", {"match": ground.project, "code": "INVALID_ARGUMENT", "message": echo})
    ground.approve()
    failed = ground.until_reason("ApplyFailed", "PlanFailed", seconds=180)
    assert "Invalid payload (sensitive)" in failed["message"], "the error came through, without its secrets"
    untold({**looked_at(ground, tmp_path), **said(ground, operator)}, PLANTED, *tokens(ground))
    by_hand = console()
    ground.until_fact(lambda: "Invalid payload (sensitive)" in by_hand.shown(ground), "the page has come so far")
    failing = by_hand.looked_at(ground)
    ground.heal()
    ground.patch(attempt=2)
    for _ in range(3):
        if ground.until_reason("AwaitingApproval", "Ready", seconds=180)["reason"] == "Ready":
            break
        ground.approve()
        ground.until(lambda status: status["reason"] != "AwaitingApproval", "it goes on")
    ground.until_reason("Ready", seconds=180)

    assert ground.secret_value("api-key") == VALUE
    ground.until_fact(lambda: '"reason": "Ready"' in by_hand.shown(ground), "the page has come so far")
    seen = {**looked_at(ground, tmp_path), **by_hand.looked_at(ground)}
    assert "prod-plan" in seen["objects"]
    untold(seen, PLANTED, *tokens(ground))
    untold(failing, PLANTED, *tokens(ground))
