"""A whole incident with nothing but the plugin: a breach, why, hold, go on, take back, begin anew, approve."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

from tests.cli_scene import commands_in, parse
from tests.e2e.world import World, gate, migrate, phase, soak

from firelift.sandbox.kubectl import KubectlError


@dataclass(frozen=True)
class OnCall:
    """Somebody with the plugin and the rights of a ClusterRole in the world's namespace."""

    world: World
    role: str

    def __post_init__(self) -> None:
        """Give them the role; it is in force when they may read."""
        given = (self.role, f"--clusterrole={self.role}", f"--user={self.role}", "-n", self.world.namespace)
        self.world.sandbox.kubectl("create", "rolebinding", *given)
        may = ("auth", "can-i", "list", "migrationrollouts", f"--as={self.role}", "-n", self.world.namespace)
        self.world.until_fact(lambda: self._answers(*may) == "yes", "the binding is in force")

    def _answers(self, *question: str) -> str:
        try:
            return self.world.sandbox.kubectl(*question).strip()
        except KubectlError as error:
            return str(error)

    def __call__(self, *arguments: str, code: int = 0) -> str:
        told = subprocess.run(
            [sys.executable, "-m", "firelift.cli", *arguments, "-n", self.world.namespace, "--as", self.role],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "KUBECONFIG": str(self.world.sandbox.kubeconfig)},
            timeout=90,
        )
        assert told.returncode == code, told.stderr
        return told.stdout

    def paste(self, page: str, verb: str) -> str:
        """Run the first command with this verb that a page offers."""
        offered = next(words for words in commands_in(page) if words[2] == verb)
        where = {"-n", self.world.namespace, "--as", self.role}
        return self(*(word for word in offered[2:] if word not in where))


def test_an_incident_is_met_with_what_the_pages_offer(world: World) -> None:
    call, approver = OnCall(world, "firelift-on-call"), OnCall(world, "firelift-approver")
    world.seed(100)
    before = world.source()
    gates = [gate(world, onFailure="Pause")]
    phases = [phase("everyone", 100, soak(4, "Gates")), {"name": "after", "steps": [{"approve": {"count": 1}}]}]
    manifest = world.manifest(phases, gates=gates)
    world.apply(manifest)
    world.until(lambda status: status.get("step") == "soak", "the soak")
    world.error_percent = 9.0
    world.until_reason("GateFailed")

    assert "1 of 1 samples" in call("status", "logs", code=1)
    why = call("explain", "logs")
    assert "a gate has measured more than its limit allows" in why
    for words in commands_in(why):
        parse(words)

    call.paste(why, "revert")
    world.until_reason("Reverted")
    assert (world.target(), world.source()) == ({}, before)
    world.apply(manifest)
    assert world.status()["reason"] == "Reverted", "Git has undone nothing"

    world.error_percent = 0.0
    call.paste(call("status", "logs", code=1), "retry")
    world.until(lambda status: status.get("attempt") == 2, "the second attempt")
    call("pause", "logs")
    world.until_reason("Suspended")
    world.apply(manifest)
    assert "resumed" in call.paste(call("status", "logs"), "resume")

    world.until_reason("AwaitingApproval")
    asked = call("explain", "logs")
    assert world.status()["approval"]["digest"] in asked
    call("approve", "logs", "--yes", code=5)
    approver("approve", "logs", "--yes", "--comment", "all is well")
    followed = call("status", "logs", "--watch", "--timeout", "60s")
    assert followed.splitlines()[-1].split()[1:2] == ["Completed"]
    assert world.target() == world.expected(100)
    approvals = json.loads(call("list", "approvals", "-o", "json"))["items"]
    assert [each["spec"]["approver"] for each in approvals] == ["firelift-approver"]
    assert "kubectl firelift revert logs" in call("status", "logs")


def test_a_plan_and_its_environment_are_shown_before_anything_is_written(world: World) -> None:
    world.seed(50)
    world.apply(world.manifest([{"name": "everyone", "steps": [{"approve": {"count": 1}}, migrate(100)]}]))
    world.until_reason("AwaitingApproval")
    page = OnCall(world, "view")("plan", "logs")
    assert "Estimate" in page
    assert "everyone: approve → migrate" in page
    assert world.target() == {}
