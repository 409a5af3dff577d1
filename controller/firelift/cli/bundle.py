"""What goes into a bug report: everything Kubernetes knows of an object, with secrets taken out."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from importlib.metadata import version
from typing import Any

import yaml

from firelift.api.base import ENVIRONMENT_LABEL
from firelift.cli import lanes, redaction, sections, views
from firelift.cli.kinds import APPROVAL, ROLLOUT, Ref
from firelift.cli.reports import environment_report, rollout_report
from firelift.cli.session import Session
from firelift.cli.views import RolloutView
from firelift.kube.client import Json
from firelift.kube.errors import KubeError
from firelift.kube.job_manifest import label_of, label_selector

_LONGEST_LOG = 1_000_000


@dataclass
class Bundle:
    """Files by their names. `secrets` are in none of them."""

    secrets: frozenset[str] = frozenset()
    files: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, text: str) -> None:
        """One file, without secrets."""
        self.files[name] = redaction.text(text, self.secrets)

    def add_yaml(self, name: str, value: Any) -> None:
        """One file as YAML."""
        self.add(name, yaml.safe_dump(value, allow_unicode=True, width=120))

    async def ask(self, name: str, question: Callable[[], Awaitable[Any]]) -> Any:
        """What the cluster answers; where it does not, a file that says why, and None."""
        try:
            return await question()
        except KubeError as error:
            self.add(f"{name}.unknown.txt", str(error))
            return None

    def zipped(self) -> bytes:
        """All of it, the same for the same files."""
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in sorted(self.files.items()):
                archive.writestr(zipfile.ZipInfo(name), text)
        return target.getvalue()


async def collect(session: Session, ref: Ref, now: datetime, *, tail: int) -> Bundle:
    """Ask for everything; what cannot be had is told in its place.

    Raises:
        KubeError: the object itself cannot be read.
    """
    document = await session.read(ref)
    bundle = Bundle(frozenset(redaction.planted(document)))
    bundle.add("version.txt", f"kubectl firelift {version('firelift')}, {now:%Y-%m-%dT%H:%M:%SZ}\n")
    bundle.add_yaml("object.yaml", redaction.of_object(document))
    await _status(session, bundle, ref, document, now)
    await _lists(session, bundle, ref, str(document["metadata"]["uid"]))
    await _pods(session, bundle, ref, tail)
    return bundle


async def _status(session: Session, bundle: Bundle, ref: Ref, document: Json, now: datetime) -> None:
    view = views.view(ref.kind, document)
    if isinstance(view, RolloutView):
        shown = rollout_report(view, now, lanes.section(await lanes.jobs_of(session, view.name)))
    else:
        shown = environment_report(view, now)
    bundle.add("status.txt", sections.text(shown))


async def _lists(session: Session, bundle: Bundle, ref: Ref, uid: str) -> None:
    """Events, approvals and Jobs."""
    core = f"/api/v1/namespaces/{session.namespace}"
    events = await bundle.ask(
        "events", lambda: session.cluster.get(f"{core}/events", fieldSelector=f"involvedObject.uid={uid}")
    )
    bundle.add_yaml("events.yaml", [_event(each) for each in (events or {}).get("items", ())])
    approvals = await bundle.ask("approvals", lambda: session.cluster.get(APPROVAL.path(session.namespace)))
    mine = [each["spec"] for each in (approvals or {}).get("items", ()) if each["spec"]["target"]["name"] == ref.name]
    bundle.add_yaml("approvals.yaml", mine)


async def _pods(session: Session, bundle: Bundle, ref: Ref, tail: int) -> None:
    """Jobs and pods without their commands and variables, and the end of each log."""
    core, selector = f"/api/v1/namespaces/{session.namespace}/pods", _selector(ref)
    jobs_path = f"/apis/batch/v1/namespaces/{session.namespace}/jobs"
    jobs = await bundle.ask("jobs", lambda: session.cluster.get(jobs_path, labelSelector=selector))
    bundle.add_yaml("jobs.yaml", [_outline(each) for each in (jobs or {}).get("items", ())])
    pods = await bundle.ask("pods", lambda: session.cluster.get(core, labelSelector=selector))
    found = (pods or {}).get("items", [])
    bundle.add_yaml("pods.yaml", [_outline(each) for each in found])
    for pod in found if tail else ():
        name = pod["metadata"]["name"]
        read = partial(session.cluster.text, f"{core}/{name}/log", tailLines=str(tail))
        log = await bundle.ask(f"logs/{name}", read)
        if log is not None:
            bundle.add(f"logs/{name}.log", log[-_LONGEST_LOG:])


def _selector(ref: Ref) -> str:
    return label_selector(ref.name) if ref.kind is ROLLOUT else f"{ENVIRONMENT_LABEL}={label_of(ref.name)}"


def _outline(document: Json) -> Json:
    """What became of it, not what it was told."""
    metadata = document["metadata"]
    kept = {
        key: metadata[key] for key in ("name", "creationTimestamp", "deletionTimestamp", "labels") if key in metadata
    }
    return {"metadata": kept, "status": document.get("status", {})}


def _event(event: Json) -> Json:
    names = ("type", "reason", "message", "count", "firstTimestamp", "lastTimestamp", "eventTime", "note")
    return {name: event[name] for name in names if event.get(name)}
