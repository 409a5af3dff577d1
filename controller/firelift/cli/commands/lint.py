"""`kubectl firelift lint`."""

from __future__ import annotations

import click

from firelift.cli.allowances import tenancies
from firelift.cli.exits import Exit
from firelift.cli.linting import findings
from firelift.cli.manifests import read
from firelift.cli.output import counted


@click.command("lint")
@click.option(
    "-f", "--filename", "files", multiple=True, required=True, help="A file, a folder, or - for stdin; repeat it."
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.pass_context
def command(context: click.Context, files: tuple[str, ...], *, strict: bool) -> None:
    """Refuse offline what the API server would refuse, in the same words, and what the operator would not do.

    A line for each goes to stdout, and the exit code is 1 when one is an error. Objects of other kinds are passed over,
    but for Namespaces: what theirs does not allow the objects of these files is refused too.
    """
    manifests = list(read(files))
    known = tenancies(manifests)
    found = [finding for manifest in manifests for finding in findings(manifest, known)]
    for finding in found:
        click.echo(click.style(finding.line, fg="red" if finding.error else "yellow"))
    errors = sum(finding.error for finding in found)
    warnings = len(found) - errors
    click.echo(
        f"{counted(len(manifests), 'object')}: {counted(errors, 'error')}, {counted(warnings, 'warning')}", err=True
    )
    context.exit(Exit.FAILED if errors or (strict and warnings) else Exit.OK)
