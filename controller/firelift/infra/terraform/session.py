"""One initialised workspace: plan, apply, outputs, state, unlock."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from python_terraform import IsFlagged

from firelift.infra.terraform.cli import Command, TerraformCli
from firelift.infra.terraform.configuration import SavedPlan
from firelift.infra.terraform.errors import (
    Diagnostic,
    PlanStale,
    StateLocked,
    StateUnsaved,
    TerraformFailed,
    TerraformUnavailable,
    TimedOut,
    TooLarge,
)
from firelift.infra.terraform.messages import (
    diagnostics,
    events,
    is_left_locked,
    is_stale,
    lacks_provider,
    lock_of,
    text_diagnostic,
)
from firelift.infra.terraform.mirror import shortcoming
from firelift.infra.terraform.protocol import ApplyResult, Outputs, PlanResult, Purpose, StateVersion
from firelift.infra.terraform.redact import Redactor
from firelift.infra.terraform.settings import TerraformSettings
from firelift.infra.terraform.workspace import ERRORED_STATE, Workspace, write_private

_MOST_BYTES = 64 * 1024 * 1024
_MOST_EVENTS_BYTES = 16 * 1024 * 1024
_UNCHANGED, _CHANGED = 0, 2
_SIGNALLED = 128
_QUOTED = 5
_FLAGS = {Purpose.APPLY: {}, Purpose.DESTROY: {"destroy": IsFlagged}, Purpose.REFRESH: {"refresh_only": IsFlagged}}


class Session:
    """A `TerraformSession` on python-terraform."""

    def __init__(self, cli: TerraformCli, workspace: Workspace, redact: Redactor, settings: TerraformSettings) -> None:
        self._cli = cli
        self._workspace = workspace
        self._redact = redact
        self._settings = settings

    async def init(self, lock_file: str = "") -> None:
        """Install providers and modules and reach the backend; with a lock file, exactly its providers."""
        if lock_file:
            self._workspace.write_lock_file(lock_file)
        held = {"lockfile": "readonly"} if lock_file else {}
        said = await self._cli.init(json=IsFlagged, **held)
        try:
            self._check("init", said)
        except TerraformFailed as error:
            mirror = self._settings.provider_mirror
            if mirror is None or not lacks_provider(error.diagnostics) or not (why := shortcoming(mirror)):
                raise
            raise TerraformUnavailable(f"terraform init found no provider: {why}") from error

    async def plan(self, purpose: Purpose = Purpose.APPLY, *, targets: Sequence[str] = ()) -> PlanResult:
        """See `TerraformSession.plan`."""
        file = self._workspace.plan_file
        said = await self._cli.plan(
            out=str(file), json=IsFlagged, target=list(targets), **_FLAGS[purpose], **self._locking()
        )
        found = self._check("plan", said, (_UNCHANGED, _CHANGED))
        document = json.loads(await self._show(file, json=IsFlagged))
        return PlanResult(
            purpose=purpose,
            changed=said.ended.code == _CHANGED,
            document=document,
            text=self._redact((await self._show(file, no_color=IsFlagged)).decode(errors="replace")),
            state=_planned_state(file.read_bytes()),
            saved=SavedPlan(self._workspace.configuration, self._workspace.lock_file(), file.read_bytes()),
            warnings=found,
        )

    async def apply(self, plan: bytes) -> ApplyResult:
        """See `TerraformSession.apply`."""
        write_private(self._workspace.plan_file, plan)
        said = await self._cli.cmd(
            "apply", str(self._workspace.plan_file), json=IsFlagged, input=False, **self._locking()
        )
        await self._rescue_state()
        found = self._check("apply", said)
        counts = _counts(said)
        return ApplyResult(
            added=counts.get("add", 0),
            changed=counts.get("change", 0),
            destroyed=counts.get("remove", 0),
            imported=counts.get("import", 0),
            state=await self.state(),
            warnings=found,
        )

    async def outputs(self) -> Outputs:
        """See `TerraformSession.outputs`."""
        said = await self._cli.cmd("output", json=IsFlagged)
        self._check("output", said)
        found = json.loads(_read(said.stdout, "the outputs"))
        return Outputs(
            plain={name: one["value"] for name, one in found.items() if not one["sensitive"]},
            sensitive={name: one["value"] for name, one in found.items() if one["sensitive"]},
        )

    async def state(self) -> StateVersion:
        """See `TerraformSession.state`."""
        said = await self._cli.cmd("state pull")
        self._check("state pull", said)
        return _version(_read(said.stdout, "the state") or b"{}")

    async def unlock(self, lock_id: str) -> None:
        """See `TerraformSession.unlock`."""
        self._check("force-unlock", await self._cli.cmd("force-unlock", lock_id, force=IsFlagged, no_color=IsFlagged))

    def _locking(self) -> Mapping[str, str]:
        return {"lock_timeout": f"{self._settings.lock_timeout_seconds}s"}

    async def _show(self, file: Path, **options: Any) -> bytes:
        said = await self._cli.cmd("show", str(file), **options)
        self._check("show", said)
        return _read(said.stdout, "the plan")

    async def _rescue_state(self) -> None:
        """Write the state once more when Terraform could not: else nobody knows of what it made."""
        state = self._workspace.errored_state()
        if not state:
            return
        said = await self._cli.cmd("state push", ERRORED_STATE, **self._locking())
        if said.ended.code:
            raise StateUnsaved(
                "terraform apply changed things and could not write its state, nor could a second try; keep the "
                "state that this error carries and push it by `terraform state push` once the backend answers",
                state,
                self._workspace.module / ERRORED_STATE,
            )
        (self._workspace.module / ERRORED_STATE).unlink()

    def _check(self, attempted: str, said: Command, good: Sequence[int] = (0,)) -> tuple[Diagnostic, ...]:
        """Return the warnings of a command that did well, else raise."""
        if said.ended.timed_out:
            seconds = self._settings.limits.deadline_seconds
            how = "was killed; its state lock may still be held" if said.ended.killed else "was stopped gracefully"
            message = f"terraform {attempted} did not end within {seconds:g} s and {how}"
            raise TimedOut(message, killed=said.ended.killed)
        found = diagnostics(_lines(said.stdout), self._redact)
        if said.ended.code in good:
            return found
        found = found or text_diagnostic(_tail(said.stderr), self._redact)
        raise _failure(attempted, said, found)


def _failure(attempted: str, said: Command, found: tuple[Diagnostic, ...]) -> TerraformFailed:
    reasons = "; ".join(str(one) for one in found[:_QUOTED]) or "it said nothing"
    more = f"; and {len(found) - _QUOTED} more" if len(found) > _QUOTED else ""
    message = f"terraform {attempted} ended with code {said.ended.code}: {reasons}{more}"
    if lock := lock_of(found):
        return StateLocked(message, found, lock)
    if is_stale(found):
        return PlanStale(message, found, unlocked=True)
    return TerraformFailed(message, found, unlocked=said.ended.code < _SIGNALLED and not is_left_locked(found))


def _counts(said: Command) -> dict[str, int]:
    for event in events(_lines(said.stdout)):
        if event.get("type") == "change_summary" and event["changes"].get("operation") != "plan":
            return {key: count for key, count in event["changes"].items() if isinstance(count, int)}
    return {}


def _planned_state(plan: bytes) -> StateVersion:
    """The state that a plan was made of, from the plan file itself."""
    with zipfile.ZipFile(io.BytesIO(plan)) as archive:
        return _version(archive.read("tfstate"))


def _version(state: bytes) -> StateVersion:
    document = json.loads(state)
    return StateVersion(str(document.get("lineage", "")), int(document.get("serial", 0)))


def _read(path: Path, what: str) -> bytes:
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise TooLarge(f"{what} has {size:,} bytes, {_MOST_BYTES:,} are read: divide the environment into several")
    return path.read_bytes()


def _lines(path: Path) -> list[str]:
    return _tail(path).splitlines()


def _tail(path: Path) -> str:
    """The last 16 MiB: a flood of events must not take the memory, and errors come last."""
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _MOST_EVENTS_BYTES))
        return file.read().decode(errors="replace")
