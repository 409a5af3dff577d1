"""`kubectl firelift list`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import click

from firelift.api.base import GROUP
from firelift.cli import tables
from firelift.cli.kinds import Kind, kind_of
from firelift.cli.output import JSON, NAME, WIDE, YAML, dumped, listed, output_option
from firelift.cli.session import Session, asks_cluster
from firelift.kube.client import Json

_PAGE = "500"


class _Kind(click.ParamType[Kind]):
    name = "kind"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Kind:
        found = value if isinstance(value, Kind) else kind_of(str(value))
        if found is None:
            self.fail(f"{value!r} must be rollouts, environments or approvals", param, ctx)
        return found


@click.command("list")
@click.argument("kind", type=_Kind(), default="rollouts")
@click.option("-A", "--all-namespaces", is_flag=True, help="Of all namespaces.")
@click.option("-l", "--selector", default="", help="Only those with these labels.")
@output_option(JSON, YAML, WIDE, NAME)
@asks_cluster
async def command(session: Session, kind: Kind, *, all_namespaces: bool, selector: str, output: str) -> None:
    """Rollouts (or environments, or approvals) in the columns of `kubectl get`."""
    path = kind.path("" if all_namespaces else session.namespace)
    query = {"limit": _PAGE, **({"labelSelector": selector} if selector else {})}
    if output in {JSON, YAML}:
        pages = await _pages(session.cluster.get, path, query)
        click.echo(dumped(listed([item for page in pages for item in page["items"]]), output))
        return
    pages = await _pages(session.cluster.table, path, query)
    rows = [row for page in pages for row in page["rows"]]
    if not rows:
        click.echo(f"No resources found{'' if all_namespaces else f' in {session.namespace} namespace'}.", err=True)
    elif output == NAME:
        click.echo(tables.names(rows, f"{kind.kind.lower()}.{GROUP}"))
    else:
        click.echo(tables.text(pages[0]["columnDefinitions"], rows, wide=output == WIDE, namespaces=all_namespaces))


async def _pages(read: Callable[..., Awaitable[Json]], path: str, query: dict[str, str]) -> list[Json]:
    """All answers of a list, `_PAGE` objects each."""
    pages = [await read(path, **query)]
    while more := pages[-1]["metadata"].get("continue", ""):
        pages.append(await read(path, **query, **{"continue": more}))
    return pages
