"""Runs of an environment whose module needs no provider: the real Terraform, bundles on a real API server."""

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

from tests.terraform_scene import PATIENT

from firelift.api.environment.spec import EnvironmentSpec
from firelift.api.environment.status import PlanPurpose
from firelift.environment.observation import Applied, Environment, Outcome, Planned
from firelift.environment.render import OUTPUTS, SECRETS, SECTIONS
from firelift.environment.state import Run, RunKind, Variant
from firelift.infra.terraform.backend import Backend, LocalBackend
from firelift.infra.terraform.runner import PythonTerraformRunner
from firelift.infra.terraform.settings import TerraformSettings
from firelift.kube.blobs import Shelf
from firelift.kube.client import Cluster, Permit, always
from firelift.kube.owned import encoded
from firelift.operator.ground.bundles import Bundles
from firelift.operator.ground.execute import Executor
from firelift.operator.ground.its_turn import ItsTurn
from firelift.operator.ground.material import Material, gather

WHEN = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
RECORDER = """#!{python}
import os, sys
with open({log!r}, "a") as log:
    log.write(sys.argv[1] + " " + os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN", "") + "\\n")
os.execv({terraform!r}, [{terraform!r}, *sys.argv[1:]])
"""


def module(written: Path) -> str:
    """A module `environment` that needs no provider and writes the value of its secret into a file.

    Then it does what the script `then` beside that file says, if there is one.
    """
    then = written.with_name("then")
    command = f'printf %s "$VALUE" > {written}; [ ! -e {then} ] || sh {then}'
    secret = {"command": command, "environment": {"VALUE": '${var.secret_values["api-key"]}'}}
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


async def wanted(_: Run) -> str:
    """Of a run that still holds."""
    return ""


@dataclass
class Team:
    """An environment with a secret and credentials, and an executor of its runs."""

    folder: Path
    cluster: Cluster
    namespace: str
    settings: TerraformSettings
    spec: Mapping[str, Any]
    backend: Backend

    def __post_init__(self) -> None:
        self.runner = PythonTerraformRunner(self.settings)

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

    async def run(self, run: Run, material: Material, permit: Permit = always, withdrawn: ItsTurn = wanted) -> Outcome:
        """Do it with what was gathered."""
        executor = Executor(
            runner=self.runner,
            bundles=self.bundles(permit),
            material=material,
            backend=self.backend,
            limits=PATIENT,
            permit=permit,
            withdrawn=withdrawn,
            pauses=(0.0,),
        )
        return await executor.run(run)

    def bundles(self, permit: Permit = always) -> Bundles:
        """What is kept of its runs."""
        cluster = self.cluster.permitted_by(permit)
        return Bundles(cluster, Shelf(self.namespace, "shop-prod"), "shop-prod")

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


async def make_team(cluster: Cluster, tmp_path: Path) -> Team:
    """A team with a namespace, and with what its spec names."""
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
    made = Team(tmp_path, cluster, namespace, settings, spec, LocalBackend(tmp_path / "state"))
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
