"""What works for a rollout at the moment: its Jobs, of which each index works a few lanes of its run."""

from __future__ import annotations

from collections.abc import Sequence

from firelift.api.base import RUN_ANNOTATION
from firelift.cli.exits import of_cluster
from firelift.cli.sections import Row, Section, Tone, unknown
from firelift.cli.session import Session
from firelift.cli.sparks import bar
from firelift.kube.client import Json
from firelift.kube.errors import KubeError
from firelift.kube.job_manifest import label_selector

WIDTH = 10


async def jobs_of(session: Session, rollout: str) -> list[Json] | str:
    """The rollout's Jobs, or why they cannot be known."""
    path = f"/apis/batch/v1/namespaces/{session.namespace}/jobs"
    try:
        answer = await session.cluster.get(path, labelSelector=label_selector(rollout))
    except KubeError as error:
        return of_cluster(error).message
    return list(answer["items"])


def section(jobs: Sequence[Json] | str) -> Section:
    """A line for each Job: how many of its indexes have worked off their lanes."""
    if isinstance(jobs, str):
        return Section("Lanes", (Row("", unknown(f"the Jobs cannot be listed: {jobs}"), Tone.WAIT),))
    if not jobs:
        return Section("Lanes", (Row("", "none: no Job works for it at the moment"),))
    return Section("Lanes", tuple(_row(job) for job in sorted(jobs, key=_run)))


def _row(job: Json) -> Row:
    spec, status = job.get("spec", {}), job.get("status", {})
    total, done = spec.get("completions", 1), status.get("succeeded", 0)
    active, failed = status.get("active", 0), status.get("failed", 0)
    failure = next((each for each in status.get("conditions", ()) if each["type"] == "Failed"), None)
    facts = [
        bar(done / total if total else 0.0, WIDTH),
        f"{done:,} of {total:,} shares done",
        f"{active:,} {'pod' if active == 1 else 'pods'} at work",
        f"{failed:,} failed" if failed else "",
        f"failed: {failure.get('message', failure.get('reason', ''))}"
        if failure and failure["status"] == "True"
        else "",
        "leaving" if "deletionTimestamp" in job["metadata"] else "",
    ]
    return Row(_run(job), "  ".join(fact for fact in facts if fact), Tone.BAD if failure or failed else Tone.PLAIN)


def _run(job: Json) -> str:
    return str(job["metadata"].get("annotations", {}).get(RUN_ANNOTATION, "")) or str(job["metadata"]["name"])
