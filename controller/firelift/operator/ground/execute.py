"""Terraform, asked to do what was decided: plan and keep it, apply what was kept, release a lock."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

from firelift.api.digest import digest
from firelift.api.environment.status import PlanPurpose
from firelift.environment.observation import (
    Applied,
    Existing,
    LockSeen,
    Outcome,
    Planned,
    RunFailed,
    Unlocked,
    Withdrawn,
)
from firelift.environment.render import MODULES, unprotected, without_values
from firelift.environment.state import Run, RunKind, Variant
from firelift.environment.unusable import Missing, Unusable
from firelift.infra.terraform.backend import Backend
from firelift.infra.terraform.configuration import Configuration
from firelift.infra.terraform.errors import (
    Diagnostic,
    PlanStale,
    StateLocked,
    StateUnsaved,
    TerraformError,
    TerraformFailed,
)
from firelift.infra.terraform.process import Limits
from firelift.infra.terraform.protocol import PlanResult, Purpose, TerraformRunner, TerraformSession
from firelift.infra.terraform.workspace import discard, left_at
from firelift.kube.client import Permit
from firelift.kube.errors import KubeError
from firelift.kube.lease import LeadershipLost
from firelift.operator.ground.bundles import AppliedBundle, Bundles, PlanBundle
from firelift.operator.ground.its_turn import ItsTurn
from firelift.operator.ground.material import Material

_EXISTS = re.compile(r"\b409\b|already ?exists", re.IGNORECASE)


class Nothing(Exception):
    """There is nothing to work with; the message says what is not there."""


class Outdated(Nothing):
    """What a run was decided for is there no more: nothing was done, and it is decided anew."""


class Late(Exception):
    """The run's turn has come too late; the message says what has changed."""


@dataclass(frozen=True, slots=True)
class Executor:
    """Of one environment, with what it was made of when the run was begun."""

    runner: TerraformRunner
    bundles: Bundles
    material: Material
    backend: Backend
    limits: Limits
    permit: Permit
    """Asked before Terraform is: it knows nothing of leadership."""
    withdrawn: ItsTurn
    """Asked as well: what was decided on may have been changed while the run waited for its place."""
    pauses: tuple[float, ...] = (1, 5, 15, 30)
    """Seconds before each further try to keep a state that was not written."""

    async def run(self, run: Run) -> Outcome:
        """Do it. Whatever goes wrong is an outcome, too."""
        work: dict[RunKind, Callable[[Run], Awaitable[Outcome]]] = {
            RunKind.PLAN: self._plan,
            RunKind.APPLY: self._apply,
            RunKind.UNLOCK: self._unlock,
        }
        try:
            if self.material.identity is None:
                raise Outdated(self.material.inputs.unidentified)
            return await work[run.kind](run)
        except StateUnsaved as error:
            return await self._rescued(run, error)
        except TerraformError as error:
            return failure(error)
        except Late as error:
            return Withdrawn(str(error))
        except (Nothing, Missing, Unusable) as error:
            return RunFailed(str(error), stale=isinstance(error, Outdated), released=True)
        except KubeError as error:
            return RunFailed(str(error))

    async def _rescued(self, run: Run, unsaved: StateUnsaved) -> RunFailed:
        """Keep the state where the pod's end does not take it along, and only then let go of the file."""
        refusal = ""
        for pause in (0.0, *self.pauses):
            await asyncio.sleep(pause)
            try:
                name = await self.bundles.rescue(run, unsaved.state)
            except (KubeError, LeadershipLost) as error:
                refusal = str(error)
            else:
                discard(unsaved.path)
                place = f"Secret {name} of namespace {self.bundles.shelf.namespace}, compressed by gzip"
                return RunFailed(f"{unsaved}; it is in {place}", unsaved=place)
        place = left_at(unsaved.path)
        return RunFailed(f"{unsaved}; it is in {place}: the cluster did not take it ({refusal})", unsaved=place)

    async def _plan(self, run: Run) -> Outcome:
        configuration = await self._configuration(run)
        destroys = run.purpose is PlanPurpose.DESTROY and run.variant is Variant.LAST_APPLIED
        async with self._open(configuration) as session:
            await self._its_turn(run)
            result = await session.plan(Purpose.DESTROY if destroys else Purpose.APPLY, targets=run.targets)
            if not result.changed and run.variant is Variant.DECLARED:
                await self._keep_what_is_there(run, session, result)
        planned = _planned(result, configuration)
        await self.bundles.keep_plan(run, PlanBundle(result.saved, planned, result.text))
        return planned

    async def _keep_what_is_there(self, run: Run, session: TerraformSession, result: PlanResult) -> None:
        """What is there is what is declared: who made it so may not have lived to keep it, nor its outputs."""
        saved, state = replace(result.saved, plan=b""), result.state
        kept = await self.bundles.applied()
        known = kept is not None and (kept.lineage, kept.serial) == (state.lineage, state.serial)
        if known and kept is not None and kept.saved.pack() == saved.pack():
            return
        outputs = await session.outputs()
        bundle = AppliedBundle(saved, outputs.plain, outputs.sensitive, state.lineage, state.serial)
        await self.bundles.keep_applied(run, bundle)

    async def _apply(self, run: Run) -> Outcome:
        kept = await self.bundles.plan(run.plan)
        if kept is None:
            raise Nothing(f"the saved plan of {run.plan} is not there any more; it is planned again")
        if run.purpose is not PlanPurpose.DESTROY:
            self._check(run)
        saved = kept.saved.with_secrets(self._secrets(kept.saved.configuration))
        bundle = AppliedBundle(replace(saved, plan=b""))
        async with self._open(saved.configuration, saved.lock_file) as session:
            await self._its_turn(run)
            await self.bundles.keep_applied(run, bundle)
            self.permit()
            result = await session.apply(saved.plan)
            outputs = await session.outputs()
        done = replace(
            bundle,
            plain=outputs.plain,
            sensitive=outputs.sensitive,
            lineage=result.state.lineage,
            serial=result.state.serial,
        )
        await self.bundles.keep_applied(run, done)
        return Applied(result.state.lineage, result.state.serial)

    async def _unlock(self, run: Run) -> Outcome:
        rendered = self.material.rendered
        here = self.material.configuration(rendered, self.backend) if rendered is not None else None
        async with self._open(here or await self._last(Variant.LAST_APPLIED)) as session:
            await self._its_turn(run)
            await session.unlock(run.lock)
        return Unlocked()

    async def _its_turn(self, run: Run) -> None:
        """Begin it only if it would be decided on now, by who leads now: others may have been at work for an hour."""
        try:
            why = await self.withdrawn(run)
        except KubeError as error:
            why = f"when its turn came, nobody could be asked whether it still holds: {error}"
        if why:
            raise Late(why)
        self.permit()

    def _check(self, run: Run) -> None:
        """What is written must be what was decided on, with every value that it takes."""
        inputs = self.material.inputs
        if inputs.digest != run.inputs:
            why = inputs.missing or inputs.invalid or "the spec, or what it names, has changed"
            raise Outdated(f"{run.id} was decided for other inputs than there are: {why}; nothing was done")

    async def _configuration(self, run: Run) -> Configuration:
        """What is planned: the spec's ground, or the one that was applied last."""
        if run.variant is not Variant.DECLARED:
            return await self._last(run.variant)
        self._check(run)
        return self.material.configuration(self.material.staged(run), self.backend)

    async def _last(self, variant: Variant) -> Configuration:
        applied = await self.bundles.applied()
        if applied is None:
            raise Nothing("nothing is kept of an earlier apply, and its inputs are not there: nothing can be planned")
        configuration = applied.saved.configuration
        if variant is Variant.UNPROTECTED:
            configuration = replace(configuration, variables=unprotected(dict(configuration.variables)))
        return replace(configuration, secrets=self._secrets(configuration))

    def _secrets(self, configuration: Configuration) -> dict[str, Any]:
        """Those of the cluster as they are now, and for a destroy placeholders for what can no longer be read."""
        here = self.material.rendered.secrets if self.material.rendered is not None else {}
        return _filled(without_values(dict(configuration.variables)), here)

    def _open(self, configuration: Configuration, lock_file: str = "") -> AbstractAsyncContextManager[TerraformSession]:
        return self.runner.open(
            configuration, lock_file=lock_file, environment=self.material.identity, limits=self.limits
        )


def _filled(places: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _filled(place, values.get(name, {})) if isinstance(place, Mapping) else values.get(name, place)
        for name, place in places.items()
    }


def failure(error: TerraformError) -> RunFailed:
    """What a decision is told of it."""
    lock = error.lock if isinstance(error, StateLocked) else None
    found = error.diagnostics if isinstance(error, TerraformFailed) else ()
    return RunFailed(
        str(error),
        lock=LockSeen(lock.id, lock.who, lock.host, lock.operation, lock.created) if lock else None,
        released=isinstance(error, TerraformFailed) and error.unlocked,
        stale=isinstance(error, PlanStale),
        existing=tuple(Existing(each.address) for each in found if _exists(each)),
    )


def _exists(said: Diagnostic) -> bool:
    return bool(said.address) and bool(_EXISTS.search(f"{said.summary} {said.detail}"))


def _planned(result: PlanResult, configuration: Configuration) -> Planned:
    modules = {path: text for path, text in configuration.files.items() if path.startswith(f"{MODULES}/")}
    return Planned(
        document=result.document,
        lineage=result.state.lineage,
        serial=result.state.serial,
        lock_file=result.saved.lock_file,
        modules=digest(modules),
    )
