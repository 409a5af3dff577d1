"""The first scene and the last: the ground is planned, approved, applied; somebody changes it, and it is repaired."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import click

from firelift.sandbox.demo import manifests
from firelift.sandbox.demo.checks import Check
from firelift.sandbox.demo.people import People
from firelift.sandbox.demo.watch import Status, Watch, reason_is
from firelift.sandbox.sandbox import Sandbox

LIMIT_SECONDS = 120.0
BUILD_SECONDS = 12.0
"""How long the index is being built: long enough for the rollout to be seen waiting for it."""

STANDING = reason_is("IndexesBuilding", "Ready", "ApplyFailed", "PlanFailed", "StateLocked")


class GroundScenes:
    """Plays what Terraform does, on the environment that the first rollout requires."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._people = People(sandbox)
        self._watch: Watch | None = None
        self._digest = ""

    def lay(self) -> Check:
        """Plan, approve, apply. The index goes on being built."""
        self._control("builds", {"index_seconds": BUILD_SECONDS})
        watch = self._watch = self._people.apply(manifests.environment())
        self._approve(watch.until(reason_is("AwaitingApproval"), seconds=LIMIT_SECONDS))
        status = watch.until(STANDING, seconds=LIMIT_SECONDS)
        applied = status.get("applied", {})
        return Check(
            f"{manifests.GROUND}: the plan that was approved is what was applied",
            applied.get("digest") == self._digest and status.get("reason") in {"IndexesBuilding", "Ready"},
            f"{applied.get('digest', 'nothing')[:19]}… is applied",
        )

    def drift(self) -> None:
        """Somebody deletes an alert in the console."""
        (policy,) = self._google("GET", f"mon/v3/projects/{manifests.PROJECT}/alertPolicies")["alertPolicies"]
        self._google("DELETE", f"mon/v3/{policy['name']}")
        click.secho(
            f"\n# somebody deletes the alert policy {policy['displayName']!r} in the console", fg="red", bold=True
        )

    def repair(self) -> Check:
        """The drift has been seen; its plan is approved, and the alert is there again."""
        click.secho(f"\n$ kubectl get firestoreenvironment {manifests.GROUND} --watch", bold=True)
        watch = self._watch or Watch(self._sandbox, manifests.NAMESPACE, manifests.GROUND, "firestoreenvironment")
        seen = watch.until(_drifted, seconds=LIMIT_SECONDS)
        changes = [change["address"] for change in seen["drift"]["changes"]]
        self._approve(seen)
        watch.until(lambda status: not _drifted(status) and status.get("reason") == "Ready", seconds=LIMIT_SECONDS)
        there = self._google("GET", f"mon/v3/projects/{manifests.PROJECT}/alertPolicies").get("alertPolicies", [])
        return Check(
            f"{manifests.GROUND}: drift was seen, approved and repaired",
            len(changes) == len(there) == 1,
            f"{', '.join(changes)}; alert policies now: {len(there)}",
        )

    def _approve(self, status: Status) -> None:
        plan = status["plan"]
        self._digest = plan["digest"]
        for change in plan["changes"]:
            click.echo(
                f"    {change['action']:<8}{change['address']}  {click.style(change['sentence'], dim=True)}".rstrip()
            )
        self._people.approve(manifests.GROUND, plan["digest"], "as it was planned", "FirestoreEnvironment")

    def _google(self, method: str, path: str) -> dict[str, Any]:
        return self._http(method, f"{self._sandbox.google.rest_url}/{path}")

    def _control(self, path: str, body: dict[str, Any]) -> None:
        self._http("POST", f"{self._sandbox.control_url}/{path}", json.dumps(body).encode())

    @staticmethod
    def _http(method: str, url: str, body: bytes | None = None) -> dict[str, Any]:
        headers = {"Authorization": "Bearer sandbox", "Content-Type": "application/json"}
        request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 - the stand-in's own address
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            found: dict[str, Any] = json.loads(answer.read() or b"{}")
        return found


def _drifted(status: Status) -> bool:
    return bool(status.get("drift", {}).get("changes")) and "plan" in status
