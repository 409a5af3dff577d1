"""What Terraform is really given for a run that was decided: the real binary, and bundles on a real API server."""

from __future__ import annotations

import json
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.terraform_scene import PATIENT

from firelift.api.environment.spec import EnvironmentSpec
from firelift.api.environment.status import PlanPurpose
from firelift.environment.observation import Applied, Environment, Outcome, Planned, RunFailed, Unlocked
from firelift.environment.render import OUTPUTS, SECRETS, SECTIONS
from firelift.environment.state import Run, RunKind, Variant
from firelift.infra.terraform.backend import LocalBackend
from firelift.infra.terraform.runner import PythonTerraformRunner
from firelift.infra.terraform.settings import TerraformSettings
from firelift.kube.blobs import Shelf
from firelift.kube.client import Cluster, always
from firelift.kube.owned import encoded
from firelift.operator.ground.bundles import Bundles
from firelift.operator.ground.execute import Executor
from firelift.operator.ground.material import Material, gather

WHEN = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
RECORDER = """#!{python}
import os, sys
with open({log!r}, "a") as log:
    log.write(sys.argv[1] + " " + os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN", "") + "\\n")
os.execv({terraform!r}, [{terraform!r}, *sys.argv[1:]])
"""


def module(written: Path) -> str:
    """A module `environment` that needs no provider and writes the value of its secret into a file."""
    secret = {"command": f'printf %s "$VALUE" > {written}', "environment": {"VALUE": '${var.secret_values["api-key"]}'}}
    return json.dumps(
        {
            "variable": {
                **{name: {"default": None} for name in SECTIONS},
                **{name: {"type": kind, "ephemeral": True, "sensitive": True} for name, kind in SECRETS.items()},
            },
            "resource": {
                "terraform_data": {
                    "location": {"input": "${var.database.location}"},
                    "secret": {"for_each": "${var.secrets}", "provisioner": [{"local-exec": secret}]},
                }
            },
            "output": {name: {"value": name} for name in OUTPUTS},
        }
    )


@dataclass
class Team:
    """An environment with a secret and credentials, and an executor of its runs."""

    folder: Path
    cluster: Cluster
    namespace: str
    runner: PythonTerraformRunner
    spec: Mapping[str, Any]

    async def put(self, name: str, **data: str) -> None:
        """Create a Secret."""
        body = {"metadata": {"name": name}, "data": {key: encoded(value) for key, value in data.items()}}
        await self.cluster.create(f"/api/v1/namespaces/{self.namespace}/secrets", body)

    async def drop(self, name: str) -> None:
        """Delete a Secret."""
        await self.cluster.delete(f"/api/v1/namespaces/{self.namespace}/secrets/{name}", {})

    async def material(self, **more: Any) -> Material:
        """What is there now."""
        spec = EnvironmentSpec.model_validate({**self.spec, **more})
        environment = Environment(self.namespace, "prod", "u", 1, spec)
        modules = {"environment/main.tf.json": module(self.written)}
        return await gather(self.cluster, environment, modules, "firelift-system")

    async def run(self, run: Run, material: Material) -> Outcome:
        """Do it with what was gathered."""
        backend = LocalBackend(self.folder / "state")
        bundles = Bundles(self.cluster, Shelf(self.namespace, "shop-prod"), "shop-prod")
        return await Executor(self.runner, bundles, material, backend, PATIENT, always).run(run)

    async def applied(self) -> None:
        """Plan what is declared, and apply it."""
        material = await self.material()
        assert isinstance(await self.run(plan("plan-1", inputs=material.inputs.digest), material), Planned)
        done = await self.run(apply("apply-1", "plan-1", inputs=material.inputs.digest), material)
        assert isinstance(done, Applied), done

    @property
    def written(self) -> Path:
        """Where the value of the secret is written to."""
        return self.folder / "written"

    def calls(self) -> list[str]:
        """Terraform's commands and the token that each one had."""
        log = self.folder / "calls"
        return log.read_text().splitlines() if log.exists() else []


@pytest_asyncio.fixture
async def team(cluster: Cluster, tmp_path: Path) -> Team:
    namespace = f"runs-{secrets.token_hex(4)}"
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    binary = tmp_path / "terraform"
    real = shutil.which("terraform") or "terraform"
    binary.write_text(RECORDER.format(python=sys.executable, log=str(tmp_path / "calls"), terraform=real))
    binary.chmod(0o755)
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GOOGLE_OAUTH_ACCESS_TOKEN": "ya29.operator"}
    settings = replace(
        TerraformSettings.from_environment({}),
        binary=str(binary),
        root=tmp_path,
        limits=PATIENT,
        environment=environment,
    )
    spec = {
        "project": {"id": "prod-1"},
        "database": {"location": "nam5"},
        "secrets": {"api-key": {"valueFrom": {"name": "app", "key": "key"}}},
        "terraform": {"credentials": {"secretName": "google"}},
    }
    made = Team(tmp_path, cluster, namespace, PythonTerraformRunner(settings), spec)
    await made.put("app", key="hunter2")
    await made.put("google", access_token="ya29.own")  # noqa: S106 - nobody's
    return made


def plan(name: str, *, inputs: str, **more: Any) -> Run:
    return Run.model_validate(
        {"id": name, "kind": RunKind.PLAN, "purpose": PlanPurpose.APPLY, "by": "me", "started": WHEN, "inputs": inputs}
        | more
    )


def apply(name: str, of: str, *, inputs: str, **more: Any) -> Run:
    return plan(name, inputs=inputs, kind=RunKind.APPLY, plan=of, **more)


def destroy(name: str, **more: Any) -> Run:
    variant = {"purpose": PlanPurpose.DESTROY, "variant": Variant.LAST_APPLIED}
    return plan(name, inputs="", **variant, **more)


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
