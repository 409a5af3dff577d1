"""The operator's access to the cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from firelift.kube.client import Cluster
from firelift.sandbox.sandbox import Sandbox


@pytest.fixture(scope="session")
def crds(sandbox: Sandbox) -> Sandbox:
    sandbox.install_crds()
    return sandbox


@pytest_asyncio.fixture
async def cluster(crds: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    monkeypatch.setenv("KUBECONFIG", str(crds.kubeconfig))
    connected = await Cluster.connect()
    yield connected
    await connected.close()
