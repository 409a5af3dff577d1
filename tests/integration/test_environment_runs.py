"""What Terraform is really given for a run that was decided: the real binary, and bundles on a real API server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from tests.environment_team import Team, apply, destroy, make_team, plan

from firelift.environment.observation import Applied, Planned, RunFailed, Unlocked, Withdrawn
from firelift.environment.state import Run, RunKind
from firelift.infra.terraform.backend import LocalBackend
from firelift.infra.terraform.configuration import Configuration
from firelift.kube.client import Cluster
from firelift.kube.errors import Unreachable
from firelift.kube.lease import LeadershipLost


@pytest_asyncio.fixture
async def team(cluster: Cluster, tmp_path: Path) -> Team:
    return await make_team(cluster, tmp_path)


async def test_a_secret_is_written_with_the_environments_own_identity(team: Team) -> None:
    await team.applied()
    assert team.written.read_text() == "hunter2"
    assert {call.rpartition(" ")[2] for call in team.calls()} == {"ya29.own"}


async def test_a_destroy_without_its_inputs_acts_with_the_declared_credentials(team: Team) -> None:
    await team.applied()
    await team.drop("app")
    material = await team.material()
    assert material.inputs.missing
    assert isinstance(await team.run(destroy("plan-2"), material), Planned)
    done = await team.run(destroy("apply-2", kind=RunKind.APPLY, plan="plan-2"), material)
    assert isinstance(done, Applied), done
    assert {call.rpartition(" ")[2] for call in team.calls()} == {"ya29.own"}


@pytest.mark.parametrize("kind", ["plan", "apply", "unlock"])
async def test_nothing_runs_as_the_operator_where_credentials_are_named_and_gone(team: Team, kind: str) -> None:
    await team.applied()
    assert isinstance(await team.run(destroy("plan-2"), await team.material()), Planned)
    await team.drop("google")
    before = team.calls()
    asked = {
        "plan": destroy("plan-3"),
        "apply": destroy("apply-3", kind=RunKind.APPLY, plan="plan-2"),
        "unlock": destroy("unlock-3", kind=RunKind.UNLOCK, lock="1"),
    }
    outcome = await team.run(asked[kind], await team.material())
    assert isinstance(outcome, RunFailed)
    assert "Secret google (`terraform.credentials`)" in outcome.message
    assert outcome.stale
    assert team.calls() == before


async def test_a_plan_of_other_inputs_than_it_was_decided_for_is_not_made(team: Team) -> None:
    decided = await team.material()
    other = await team.material(database={"location": "eur3"})
    outcome = await team.run(plan("plan-1", inputs=decided.inputs.digest), other)
    assert isinstance(outcome, RunFailed)
    assert outcome.stale
    assert "other inputs" in outcome.message
    assert team.calls() == []


async def test_a_plan_whose_inputs_went_is_not_made_of_what_was_applied_last(team: Team) -> None:
    await team.applied()
    decided = await team.material(database={"location": "eur3"})
    await team.drop("app")
    outcome = await team.run(plan("plan-2", inputs=decided.inputs.digest), await team.material())
    assert isinstance(outcome, RunFailed)
    assert outcome.stale
    assert "key key of Secret app" in outcome.message


async def test_an_apply_whose_secret_went_writes_no_empty_value(team: Team) -> None:
    decided = await team.material()
    assert isinstance(await team.run(plan("plan-1", inputs=decided.inputs.digest), decided), Planned)
    await team.drop("app")
    outcome = await team.run(apply("apply-1", "plan-1", inputs=decided.inputs.digest), await team.material())
    assert isinstance(outcome, RunFailed)
    assert outcome.stale
    assert "key key of Secret app" in outcome.message
    assert not team.written.exists()


async def test_a_lock_is_released_whatever_has_become_of_the_inputs(team: Team) -> None:
    await team.applied()
    await team.drop("app")
    run = plan("unlock-2", inputs="", kind=RunKind.UNLOCK, lock="nobody")
    outcome = await team.run(run, await team.material())
    assert not isinstance(outcome, Unlocked)  # there is no such lock, which only Terraform knows
    assert isinstance(outcome, RunFailed)
    assert not outcome.stale
    assert team.calls()[-1].startswith("force-unlock")


async def test_an_apply_that_is_withdrawn_while_it_waits_for_its_place_does_nothing(team: Team) -> None:
    """The one place is another environment's; meanwhile somebody suspends this one."""
    await team.applied()
    team = replace(team, settings=replace(team.settings, concurrency=1))
    material = await team.material(database={"location": "eur3"})
    inputs = material.inputs.digest
    assert isinstance(await team.run(plan("plan-2", inputs=inputs), material), Planned)
    before, asked = await team.bundles().applied(), []

    async def suspended(run: Run) -> str:
        asked.append(run.id)
        return "suspended"

    async with team.runner.open(Configuration({}, LocalBackend(team.folder / "another"))):
        waits = asyncio.create_task(team.run(apply("apply-2", "plan-2", inputs=inputs), material, withdrawn=suspended))
        await asyncio.sleep(0)
        calls = team.calls()
        assert asked == []
    assert await waits == Withdrawn("suspended")
    assert asked == ["apply-2"]
    assert {call.split()[0] for call in team.calls()[len(calls) :]} == {"init"}
    assert await team.bundles().applied() == before, "what was applied last is still what a destroy would be made of"


@pytest.mark.parametrize("kind", [RunKind.PLAN, RunKind.UNLOCK])
async def test_nothing_is_begun_of_which_nobody_can_be_asked_whether_it_still_holds(team: Team, kind: RunKind) -> None:
    async def unreachable(_: Run) -> str:
        raise Unreachable("GET /apis", 0, "no answer")

    material = await team.material()
    run = plan("run-1", inputs=material.inputs.digest, kind=kind)
    outcome = await team.run(run, material, withdrawn=unreachable)
    assert isinstance(outcome, Withdrawn)
    assert "GET /apis: no answer" in outcome.message
    assert {call.split()[0] for call in team.calls()} <= {"init", "version"}


async def test_who_leads_no_more_begins_nothing_whose_turn_comes(team: Team) -> None:
    def lost() -> None:
        raise LeadershipLost("the Lease was not renewed in time")

    material = await team.material()
    with pytest.raises(LeadershipLost):
        await team.run(plan("plan-1", inputs=material.inputs.digest), material, lost)
    assert {call.split()[0] for call in team.calls()} <= {"init", "version"}
