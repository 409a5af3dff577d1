"""`kubectl firelift logs`."""

from __future__ import annotations

import os
import shutil

import click

from firelift.cli.exits import Exit, Problem
from firelift.cli.kinds import ROLLOUT, Ref, RefType
from firelift.cli.session import Session, asks_cluster
from firelift.kube.job_manifest import label_selector

_PODS_AT_ONCE = 128


@click.command("logs")
@click.argument("ref", type=RefType(ROLLOUT), metavar="NAME")
@click.option("-f", "--follow", is_flag=True, help="Go on as they write.")
@click.option("--tail", default=200, show_default=True, type=click.IntRange(-1, 10**6), help="Lines of a pod; -1: all.")
@click.option("--since", default="", help="Only newer than this, such as 10m.")
@asks_cluster
async def command(session: Session, ref: Ref, *, follow: bool, tail: int, since: str) -> None:
    """What the pods of a rollout's Jobs say, each line with its pod's name; kubectl reads them."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise Problem("kubectl is not on PATH, and it is what reads the logs of pods", Exit.USAGE)
    await session.read(ref)
    pods = f"/api/v1/namespaces/{session.namespace}/pods"
    await session.cluster.list_metadata(pods, labelSelector=label_selector(ref.name), limit="1")
    arguments = _arguments(session, ref, follow=follow, tail=tail, since=since)
    os.execv(kubectl, ["kubectl", *arguments])  # noqa: S606 - what replaces this process is kubectl, without a shell


def _arguments(session: Session, ref: Ref, *, follow: bool, tail: int, since: str) -> list[str]:
    return [
        "logs",
        f"--selector={label_selector(ref.name)}",
        f"--namespace={session.namespace}",
        "--prefix",
        f"--tail={tail}",
        f"--max-log-requests={_PODS_AT_ONCE}",
        *(["--follow"] if follow else []),
        *([f"--since={since}"] if since else []),
        *session.flags,
    ]
