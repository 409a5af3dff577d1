"""What every runner of Terraform holds, on the real binary."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from tests.terraform_scene import Scene, data, scene

from firelift.infra.terraform.configuration import SavedPlan, join, split
from firelift.infra.terraform.errors import PlanStale, TerraformFailed, TerraformUnavailable
from firelift.infra.terraform.protocol import Purpose

SECRET = "correct-horse-battery"  # noqa: S105 - nobody's


@pytest.fixture
def ground(tmp_path: Path) -> Scene:
    return scene(tmp_path)


async def test_a_plan_is_applied_as_it_was_saved_and_then_nothing_is_left_to_do(ground: Scene) -> None:
    configuration = ground.configuration(data(index="a", ttl="b"))
    async with ground.runner.open(configuration) as session:
        plan = await session.plan()
        applied = await session.apply(plan.saved.plan)
        again = await session.plan()
    assert plan.changed
    assert [change["address"] for change in plan.document["resource_changes"]] == [
        "terraform_data.index",
        "terraform_data.ttl",
    ]
    assert (applied.added, applied.changed, applied.destroyed) == (2, 0, 0)
    assert not again.changed
    assert again.state == applied.state


async def test_a_saved_plan_is_applied_by_another_process_in_another_directory(ground: Scene) -> None:
    async with ground.runner.open(ground.configuration(data(index="a"))) as session:
        plan = await session.plan()
    restored = SavedPlan.unpack(join(split(plan.saved.pack())))
    async with ground.runner.open(restored.configuration, lock_file=restored.lock_file) as session:
        applied = await session.apply(restored.plan)
    assert applied.added == 1
    assert applied.state.lineage


async def test_a_plan_is_refused_once_the_state_has_moved_on(ground: Scene) -> None:
    async with ground.runner.open(ground.configuration(data(index="a"))) as session:
        await session.apply((await session.plan()).saved.plan)
    async with ground.runner.open(ground.configuration(data(index="b"))) as session:
        stale = await session.plan()
        await session.apply((await session.plan()).saved.plan)
        with pytest.raises(PlanStale, match="Saved plan is stale"):
            await session.apply(stale.saved.plan)


async def test_a_destroy_is_planned_and_applied_like_any_other_change(ground: Scene) -> None:
    async with ground.runner.open(ground.configuration(data(index="a"))) as session:
        await session.apply((await session.plan()).saved.plan)
        plan = await session.plan(Purpose.DESTROY)
        destroyed = await session.apply(plan.saved.plan)
    assert plan.document["resource_changes"][0]["change"]["actions"] == ["delete"]
    assert destroyed.destroyed == 1


async def test_a_refresh_changes_nothing_that_is_as_declared(ground: Scene) -> None:
    async with ground.runner.open(ground.configuration(data(index="a"))) as session:
        await session.apply((await session.plan()).saved.plan)
        refreshed = await session.plan(Purpose.REFRESH)
    assert not refreshed.changed
    assert "resource_drift" not in refreshed.document


async def test_only_the_targets_are_planned(ground: Scene) -> None:
    async with ground.runner.open(ground.configuration(data(index="a", ttl="b"))) as session:
        plan = await session.plan(targets=["terraform_data.ttl"])
    assert [change["address"] for change in plan.document["resource_changes"]] == ["terraform_data.ttl"]


async def test_what_exists_is_imported_by_a_block(ground: Scene) -> None:
    document = {**data(index=None), "import": [{"to": "terraform_data.index", "id": "0f0e"}]}
    async with ground.runner.open(ground.configuration(document)) as session:
        plan = await session.plan()
        applied = await session.apply(plan.saved.plan)
    assert plan.document["resource_changes"][0]["change"]["importing"] == {"id": "0f0e"}
    assert (applied.imported, applied.added) == (1, 0)


async def test_outputs_that_are_sensitive_are_kept_apart(ground: Scene) -> None:
    outputs = {"name": {"value": {"a": [1, 2]}}, "password": {"value": SECRET, "sensitive": True}}
    async with ground.runner.open(ground.configuration({"output": outputs})) as session:
        await session.apply((await session.plan()).saved.plan)
        found = await session.outputs()
    assert found.plain == {"name": {"a": [1, 2]}}
    assert found.sensitive == {"password": SECRET}
    assert SECRET not in repr(found)


async def test_large_outputs_are_read_whole(ground: Scene) -> None:
    large = "é" * 400_000
    async with ground.runner.open(ground.configuration({"output": {"large": {"value": large}}})) as session:
        plan = await session.plan()
        await session.apply(plan.saved.plan)
        found = await session.outputs()
    assert found.plain["large"] == large
    assert SavedPlan.unpack(join(split(plan.saved.pack()))) == plan.saved


async def test_broken_hcl_is_refused_with_its_place_and_reason(ground: Scene) -> None:
    document = {"resource": {"terraform_data": {"index": {"inputs": "a"}}}}
    async with ground.runner.open(ground.configuration(document)) as session:
        with pytest.raises(TerraformFailed, match=r"terraform plan ended with code 1: .*inputs") as refused:
            await session.plan()
    assert refused.value.diagnostics[0].severity == "error"
    assert not ground.workspaces


async def test_a_module_that_cannot_be_read_is_refused_at_once(ground: Scene) -> None:
    with pytest.raises(TerraformFailed, match="terraform init ended with code 1"):
        async with ground.runner.open(ground.configuration({"module": {"a": {"source": "./nowhere"}}})):
            pytest.fail("it was opened")


async def test_a_provider_that_the_mirror_does_not_have_is_named(ground: Scene, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    document = {"terraform": {"required_providers": {"google": {"source": "hashicorp/google", "version": "7.45.0"}}}}
    with pytest.raises(TerraformUnavailable, match=r"must have hashicorp/google .* and has none of it"):
        async with ground.with_settings(provider_mirror=mirror).runner.open(ground.configuration(document)):
            pytest.fail("it was opened")


async def test_without_a_binary_the_remedy_is_named(ground: Scene, tmp_path: Path) -> None:
    with pytest.raises(TerraformUnavailable, match="TERRAFORM_BIN"):
        async with ground.with_settings(binary=str(tmp_path / "nowhere")).runner.open(ground.configuration({})):
            pytest.fail("it was opened")


@pytest.mark.parametrize("version", ["1.5.7", "2.0.0", "0.15.0-beta1"])
async def test_another_version_is_refused(ground: Scene, tmp_path: Path, version: str) -> None:
    binary = tmp_path / "terraform"
    binary.write_text(f"#!/bin/sh\necho '{json.dumps({'terraform_version': version})}'\n")
    binary.chmod(0o700)
    with pytest.raises(TerraformUnavailable, match=f"is Terraform {version}; 1.11 or newer, below 2, is needed"):
        async with ground.with_settings(binary=str(binary)).runner.open(ground.configuration({})):
            pytest.fail("it was opened")


async def test_a_secret_is_in_no_message_and_in_nothing_that_is_kept(ground: Scene) -> None:
    document = {
        "variable": {
            "secret": {
                "type": "string",
                "ephemeral": True,
                "validation": [
                    {"condition": '${var.secret == "x"}', "error_message": "'${nonsensitive(var.secret)}' is no x"}
                ],
            }
        }
    }
    configuration = ground.configuration(document, secrets={"secret": SECRET})
    async with ground.runner.open(configuration) as session:
        with pytest.raises(TerraformFailed, match=r"\(sensitive\)|ephemeral") as refused:
            await session.plan()
    assert SECRET not in str(refused.value)
    assert SECRET not in repr(refused.value.diagnostics)
    assert SECRET not in repr(configuration)
    assert SECRET.encode() not in SavedPlan(configuration).pack()


async def test_an_ephemeral_secret_is_given_again_for_the_apply(ground: Scene) -> None:
    document = {"variable": {"secret": {"type": "string", "ephemeral": True}}, **data(index="a")}
    async with ground.runner.open(ground.configuration(document, secrets={"secret": SECRET})) as session:
        plan = await session.plan()
    kept = plan.saved.pack()
    restored = SavedPlan.unpack(kept).with_secrets({"secret": SECRET})
    async with ground.runner.open(restored.configuration, lock_file=restored.lock_file) as session:
        applied = await session.apply(restored.plan)
    assert applied.added == 1
    assert SECRET not in json.dumps(plan.document)


async def test_a_workspace_is_closed_to_others_and_gone_afterwards(ground: Scene) -> None:
    configuration = ground.configuration(data(index="a"), variables={}, secrets={})
    async with ground.runner.open(configuration) as session:
        await session.plan()
        (directory,) = ground.workspaces
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [directory, *directory.rglob("*")]}
        temporary = (directory / "tmp").readlink()
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}
    assert not ground.workspaces
    assert not temporary.exists()


async def test_a_run_inherits_nothing_of_terraforms_settings(ground: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CLI_ARGS_plan", "-no-such-flag")
    monkeypatch.setenv("TF_VAR_size", "9")
    document = {"variable": {"size": {"default": 1}}, "output": {"size": {"value": "${var.size}"}}}
    environment = {"TF_VAR_size": "8", "TF_LOG": "TRACE"}
    async with ground.runner.open(ground.configuration(document), environment=environment) as session:
        plan = await session.plan()
    assert plan.document["planned_values"]["outputs"]["size"]["value"] == 1
