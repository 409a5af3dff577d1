"""What is kept of plans and applies in the operator's namespace, so that it outlives process, manifest and inputs."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from firelift.environment.observation import Planned
from firelift.environment.state import Run
from firelift.infra.terraform.configuration import SavedPlan
from firelift.kube.blobs import Blob, Shelf
from firelift.kube.client import Cluster

_RUN, _STARTED, _LINEAGE, _SERIAL = "run", "started", "lineage", "serial"


@dataclass(frozen=True, slots=True)
class PlanBundle:
    """A saved plan, what it says, and its text for people."""

    saved: SavedPlan = field(repr=False)
    planned: Planned = field(repr=False)
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AppliedBundle:
    """What was applied last, whether or not that came to an end; `serial` is None until it did."""

    saved: SavedPlan = field(repr=False)
    plain: Mapping[str, Any] = field(default_factory=dict)
    sensitive: Mapping[str, Any] = field(default_factory=dict, repr=False)
    lineage: str = ""
    serial: int | None = None


@dataclass(frozen=True, slots=True)
class Bundles:
    """Those of one environment. `suffix` is the part of their names that is its own."""

    cluster: Cluster
    shelf: Shelf
    suffix: str

    async def keep_plan(self, run: Run, bundle: PlanBundle) -> None:
        """Keep a plan under its run."""
        planned = bundle.planned
        document = {
            "saved": base64.b64encode(bundle.saved.pack()).decode(),
            "document": planned.document,
            "lockFile": planned.lock_file,
            "modules": planned.modules,
            "text": bundle.text,
        }
        notes = {**_notes(run), _LINEAGE: planned.lineage, _SERIAL: str(planned.serial)}
        await self.shelf.put(self.cluster, self._plan(run.id), Blob(_packed(document), notes))

    async def plan(self, run: str, started: datetime | None = None) -> PlanBundle | None:
        """The plan of this run; with `started` only of the very run that began then."""
        blob = await self.shelf.get(self.cluster, self._plan(run))
        if blob is None or (started is not None and blob.notes.get(_STARTED) != started.isoformat()):
            return None
        document = _unpacked(blob)
        planned = Planned(
            document=document["document"],
            lineage=blob.notes[_LINEAGE],
            serial=int(blob.notes[_SERIAL]),
            lock_file=document["lockFile"],
            modules=document["modules"],
        )
        return PlanBundle(SavedPlan.unpack(base64.b64decode(document["saved"])), planned, document["text"])

    async def keep_applied(self, run: Run, bundle: AppliedBundle) -> None:
        """Keep what is being applied, and once more when it was."""
        document = {
            "saved": base64.b64encode(bundle.saved.pack()).decode(),
            "plain": dict(bundle.plain),
            "sensitive": dict(bundle.sensitive),
        }
        done = {} if bundle.serial is None else {_LINEAGE: bundle.lineage, _SERIAL: str(bundle.serial)}
        await self.shelf.put(self.cluster, self._applied, Blob(_packed(document), _notes(run) | done))

    async def applied(self, run: Run | None = None) -> AppliedBundle | None:
        """What was applied last; with `run` only when this very run did it."""
        blob = await self.shelf.get(self.cluster, self._applied)
        if blob is None or (run is not None and not _notes(run).items() <= blob.notes.items()):
            return None
        document = _unpacked(blob)
        return AppliedBundle(
            SavedPlan.unpack(base64.b64decode(document["saved"])),
            document["plain"],
            document["sensitive"],
            blob.notes.get(_LINEAGE, ""),
            int(blob.notes[_SERIAL]) if _SERIAL in blob.notes else None,
        )

    async def rescue(self, run: Run, state: bytes) -> str:
        """Keep a state that its backend did not take; the name of the Secret."""
        name = f"rescued-state-{self.suffix}-{run.id}"
        await self.shelf.put(self.cluster, name, Blob(gzip.compress(state, mtime=0), _notes(run)))
        return f"{name}.0"

    async def keep_only(self, runs: frozenset[str]) -> None:
        """Remove the plans of all other runs."""
        kept = {self._plan(run) for run in runs}
        prefix = self._plan("")
        await self.shelf.drop(self.cluster, lambda name: name.startswith(prefix) and name not in kept)

    async def drop(self, *, applied_too: bool) -> None:
        """Remove all plans, and what was applied last as well when nothing of it is left."""
        keep = {self._applied} if not applied_too else set()
        await self.shelf.drop(self.cluster, lambda name: name not in keep and not name.startswith("rescued-"))

    def _plan(self, run: str) -> str:
        return f"plan-{self.suffix}-{run}"

    @property
    def _applied(self) -> str:
        return f"applied-{self.suffix}"


def _notes(run: Run) -> dict[str, str]:
    return {_RUN: run.id, _STARTED: run.started.isoformat()}


def _packed(document: Mapping[str, Any]) -> bytes:
    return gzip.compress(json.dumps(document, sort_keys=True).encode(), mtime=0)


def _unpacked(blob: Blob) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(gzip.decompress(blob.content))
    return document
