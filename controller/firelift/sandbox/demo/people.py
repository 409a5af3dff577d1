"""What people do in the demonstration: apply, and approve what they have seen, as `kubectl` shows it."""

from __future__ import annotations

import json

import click

from firelift.sandbox.demo import manifests
from firelift.sandbox.demo.watch import Watch
from firelift.sandbox.sandbox import Sandbox

SHORT = 19
"""Of a digest, as people say it: `sha256:` and twelve digits."""


class People:
    """Platform engineers and approvers of the team."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def apply(self, manifest: manifests.Manifest) -> Watch:
        """Apply an object, and follow it."""
        name = manifest["metadata"]["name"]
        click.secho(f"\n$ kubectl apply -f {name}.yaml", bold=True)
        click.echo(self.kubectl("apply", "--server-side", "-f", "-", stdin=manifests.text(manifest)).rstrip())
        return Watch(self._sandbox, manifests.NAMESPACE, name, manifest["kind"].lower())

    def approve(self, name: str, digest: str, comment: str, kind: str = "MigrationRollout") -> None:
        """Approve the plan of that digest."""
        user = json.loads(self.kubectl("auth", "whoami", "-o", "json"))["status"]["userInfo"]["username"]
        click.secho(f"$ kubectl create -f approval.yaml   # {digest[:SHORT]}… by {user}", bold=True)
        approval = manifests.approval(kind, name, digest, user, comment)
        click.echo(self.kubectl("create", "-f", "-", stdin=manifests.text(approval)).rstrip())

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run `kubectl` in the team's namespace; its output."""
        return self._sandbox.kubectl("-n", manifests.NAMESPACE, *arguments, stdin=stdin)
