"""`FIRELIFT_PROVIDER_MIRROR`: the provider that is named is the one that runs, in each layout and version that fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.manifests import environment
from tests.terraform.configuration import Configuration
from tests.terraform.mirrors import started, telling_mirror
from tests.terraform_scene import PATIENT, scene

from firelift.api.environment.spec import EnvironmentSpec
from firelift.environment.references import references
from firelift.environment.render import MODULES, render
from firelift.infra.terraform.configuration import Configuration as Planned
from firelift.infra.terraform.errors import TerraformUnavailable
from firelift.infra.terraform.modules import bundled_modules
from firelift.infra.terraform.runner import PythonTerraformRunner
from firelift.infra.terraform.settings import TerraformSettings
from firelift.sandbox.provider import ensure_provider_mirror

LAYOUTS = [("7.45.0", "folder"), ("7.40.0", "folder"), ("7.45.0", "zip"), ("7.99.3", "zip")]


def of_operator(mirror: Path, tmp_path: Path) -> PythonTerraformRunner:
    """A runner as the operator makes it of its own environment."""
    environ = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "GOOGLE_OAUTH_ACCESS_TOKEN": "test",
        "FIRELIFT_PROVIDER_MIRROR": str(mirror),
    }
    return PythonTerraformRunner(replace(TerraformSettings.from_environment(environ), root=tmp_path, limits=PATIENT))


def of_environment(tmp_path: Path) -> Planned:
    """What is planned for an environment with something in every section, with the modules as they are shipped."""
    spec = EnvironmentSpec.model_validate(environment()["spec"])
    rendered = render(spec, dict.fromkeys(references(spec), "service cloud.firestore {}"))
    modules = {f"{MODULES}/{path}": text for path, text in bundled_modules().items()}
    files = {**modules, **rendered.files}
    return Planned(files, scene(tmp_path).state, rendered.variables, rendered.secrets)


@pytest.mark.parametrize(("version", "layout"), LAYOUTS)
async def test_an_environment_is_planned_by_the_provider_of_the_mirror(
    tmp_path: Path, provider_mirror: Path, version: str, layout: str
) -> None:
    mirror = telling_mirror(tmp_path, provider_mirror, version, packed=layout == "zip")
    async with of_operator(mirror, tmp_path).open(of_environment(tmp_path)) as session:
        plan = await session.plan()
    assert plan.changed
    assert started(mirror)
    assert f'version     = "{version}"' in plan.saved.lock_file


def test_these_tests_run_with_the_provider_of_the_mirror(
    tmp_path: Path, provider_mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = telling_mirror(tmp_path, provider_mirror)
    monkeypatch.setenv("FIRELIFT_PROVIDER_MIRROR", str(mirror))
    place = Configuration(tmp_path, ensure_provider_mirror(), {"GOOGLE_OAUTH_ACCESS_TOKEN": "test"})
    place.write('resource "google_logging_metric" "one" {\n name = "one"\n filter = "x"\n}')
    assert place.planned()
    assert started(mirror)


async def test_a_run_without_its_provider_says_what_the_mirror_lacks(tmp_path: Path, provider_mirror: Path) -> None:
    mirror = telling_mirror(tmp_path, provider_mirror, "6.9.0")
    told = r"the provider mirror \S+ must have hashicorp/google from 7.40 and below 8.0 .*, and has 6.9.0 for "
    with pytest.raises(TerraformUnavailable, match=told):
        async with of_operator(mirror, tmp_path).open(of_environment(tmp_path)):
            pytest.fail("it was opened")
