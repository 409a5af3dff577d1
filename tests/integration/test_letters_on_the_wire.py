"""Whatever is written of an object is read back as it was, in any letters."""

from __future__ import annotations

import secrets

from firelift.kube.client import Cluster

LETTERS = ["🔥", "語", "é", '"\\', "a\n\tb", "\x7f\x85\x9f", "\u2028\u2029", "\ufeff\ufffe\uffff", "#: {}[]- 'yes'"]


async def test_an_apply_holds_any_letters(cluster: Cluster) -> None:
    namespace = f"letters-{secrets.token_hex(4)}"
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    path = f"/api/v1/namespaces/{namespace}/configmaps/letters"
    data = {str(number): each for number, each in enumerate(LETTERS)}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "letters"}, "data": data}
    await cluster.apply(path, body, manager="test")
    assert (await cluster.get(path))["data"] == data


async def test_half_a_letter_is_replaced_and_keeps_nothing_from_being_written(cluster: Cluster) -> None:
    namespace = f"letters-{secrets.token_hex(4)}"
    await cluster.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    path = f"/api/v1/namespaces/{namespace}/configmaps/letters"
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "letters"}, "data": {"half": "a\ud83d"}}
    await cluster.apply(path, body, manager="test")
    assert (await cluster.get(path))["data"] == {"half": "a?"}
