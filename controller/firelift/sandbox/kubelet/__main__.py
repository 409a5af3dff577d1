"""The process kubelet as a program; the sandbox starts it."""

import asyncio
import logging
import os
import signal
import ssl
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from firelift.sandbox.kubelet.agent import Agent
from firelift.sandbox.kubelet.cluster import Cluster
from firelift.sandbox.kubelet.logs import LogServer
from firelift.sandbox.kubelet.node import Node, heartbeat, machine_resources, register
from firelift.sandbox.marks import NODE_MARK, SANDBOX_MARK, kill_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The program's options."""

    kubeconfig: Path
    directory: Path
    certificate: Path
    key: Path
    client_ca: Path
    ready_file: Path
    pod_env: Sequence[str]


@click.command()
@click.option("--kubeconfig", type=click.Path(path_type=Path), required=True, help="Who the kubelet is to the cluster.")
@click.option("--directory", type=click.Path(path_type=Path), required=True, help="Where pods and logs are kept.")
@click.option("--certificate", type=click.Path(path_type=Path), required=True, help="Of the HTTPS endpoint for logs.")
@click.option("--key", type=click.Path(path_type=Path), required=True, help="The certificate's key.")
@click.option("--client-ca", type=click.Path(path_type=Path), required=True, help="Whose clients may read logs.")
@click.option("--ready-file", type=click.Path(path_type=Path), required=True, help="Made when the node is ready.")
@click.option("--pod-env", multiple=True, metavar="NAME=VALUE", help="A variable of every container of this node.")
def main(**options: object) -> None:
    """Run pods of the cluster as local processes, until SIGTERM."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    asyncio.run(_serve(Settings(**options)))  # type: ignore[arg-type]  # click has converted each to its field's type


async def _serve(settings: Settings) -> None:
    mark = str(settings.directory)
    await asyncio.to_thread(kill_all, NODE_MARK, mark)  # what a killed kubelet of this node left running
    settings.directory.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as cleanup:
        cluster = await cleanup.enter_async_context(await Cluster.connect(settings.kubeconfig))
        node = Node(cluster, cluster.server, settings.directory, machine_resources(), _pod_environment(settings))
        logs = LogServer(settings.directory / "logs", node.open_logs, _tls(settings))
        cleanup.push_async_callback(logs.stop)
        await register(node, await logs.start())
        agent = Agent(node)
        cleanup.push_async_callback(asyncio.to_thread, kill_all, NODE_MARK, mark)
        cleanup.push_async_callback(agent.stop)
        await _until_asked_to_stop(agent, node, settings.ready_file)


async def _until_asked_to_stop(agent: Agent, node: Node, ready_file: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with asyncio.TaskGroup() as group:
        work = [group.create_task(agent.run()), group.create_task(heartbeat(node.cluster))]
        await asyncio.to_thread(ready_file.touch)
        await stop.wait()
        for task in work:
            task.cancel()


def _pod_environment(settings: Settings) -> dict[str, str]:
    given = dict(variable.split("=", 1) for variable in settings.pod_env)
    marks = {NODE_MARK: str(settings.directory), SANDBOX_MARK: os.environ.get(SANDBOX_MARK, "")}
    return given | marks


def _tls(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(settings.client_ca))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(settings.certificate, settings.key)
    return context


if __name__ == "__main__":
    main()
