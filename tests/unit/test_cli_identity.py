"""Whom the plugin acts as: oneself, or somebody else as kubectl has it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from firelift.kube.kubeconfig import BadKubeconfig, Impersonated, connect


def kubeconfig(folder: Path, **user: Any) -> str:
    """One whose user has these fields."""
    file = folder / "kubeconfig"
    clusters = [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}]
    contexts = [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}]
    users = [{"name": "u", "user": user}]
    head = {"apiVersion": "v1", "kind": "Config", "current-context": "c"}
    file.write_text(json.dumps({**head, "clusters": clusters, "contexts": contexts, "users": users}), encoding="utf-8")
    return str(file)


def refusal(file: str, impersonated: Impersonated) -> str:
    async def ask() -> None:
        await (await connect(file, impersonated=impersonated)).cluster.close()

    with pytest.raises(BadKubeconfig) as refused:
        asyncio.run(ask())
    return str(refused.value)


def test_each_group_is_a_header_of_its_own() -> None:
    assert Impersonated("nia", ("night", "shop")).headers == [
        ("Impersonate-User", "nia"),
        ("Impersonate-Group", "night"),
        ("Impersonate-Group", "shop"),
    ]
    assert Impersonated().headers == []


def test_a_group_without_a_user_is_refused(tmp_path: Path) -> None:
    assert "a group was named without a user; give --as too" in refusal(
        kubeconfig(tmp_path), Impersonated(groups=("night",))
    )


@pytest.mark.parametrize("field", ["as-uid", "as-user-extra"])
def test_nobody_acts_as_less_than_the_kubeconfig_says(tmp_path: Path, field: str) -> None:
    file = kubeconfig(tmp_path, **{"as": "nia", field: "7"})
    assert f"user u acts as somebody by {field}, which only kubectl itself can do" in refusal(file, Impersonated())
