"""`kubectl firelift gates test`."""

from __future__ import annotations

import click

from firelift.api.gates import GateSpec
from firelift.api.rollout import RolloutSpec
from firelift.cli import linting, manifests, series, tables
from firelift.cli.exits import Exit, Problem
from firelift.cli.kinds import ROLLOUT
from firelift.cli.series import Decided

_HEADER = ("TIME", "VERDICT", "VALUE", "LIMIT", "SAMPLES", "MESSAGE")


@click.group("gates")
def command() -> None:
    """How gates decide."""


@command.command("test")
@click.option("-f", "--filename", "file", required=True, help="The rollout's manifest; - for stdin.")
@click.option("--series", "recorded", required=True, help=f"CSV with the columns {series.COLUMNS}.")
@click.option("--gate", "name", default="", help="The gate; needed when there are several.")
@click.option("--phase", default="", help="Judge by what this phase says of the gate.")
@click.option("--unit", default="1", show_default=True, help="Of the values: 1, ms, s, By, % …")
@click.option("--max", "highest", default="", help="Another limit, such as 0.5%.")
@click.option("--min", "lowest", default="", help="Another limit, such as 99%.")
@click.option("-q", "--quiet", is_flag=True, help="Only the outcome.")
@click.pass_context
def test(  # noqa: PLR0913 - one parameter for each flag
    context: click.Context,
    *,
    file: str,
    recorded: str,
    name: str,
    phase: str,
    unit: str,
    highest: str,
    lowest: str,
    quiet: bool,
) -> None:
    """Judge a recorded series by a gate of a manifest: how would it have decided, with these limits or with others?

    The judging is the operator's own. The exit code is 1 when the gate would have stopped the rollout.
    """
    spec = _spec(file)
    gate = _limited(_gate(spec, name, phase), highest, lowest)
    decided = list(series.replay(gate, series.load(recorded), unit, spec.on_failure.action))
    if not quiet:
        click.echo(tables.aligned([_HEADER, *map(_row, decided)]))
    click.echo(_outcome(gate, decided))
    context.exit(Exit.FAILED if not decided or decided[-1].objection else Exit.OK)


def _spec(file: str) -> RolloutSpec:
    found = [each for each in manifests.read((file,)) if linting.kind_of(each.document) == ROLLOUT.kind]
    if len(found) != 1:
        raise Problem(f"{file} must have one {ROLLOUT.kind}, and has {len(found)}", Exit.USAGE)
    if wrong := [finding for finding in linting.findings(found[0]) if finding.error]:
        raise Problem(wrong[0].line, Exit.FAILED)
    return RolloutSpec.model_validate(found[0].document["spec"])


def _gate(spec: RolloutSpec, name: str, phase: str) -> GateSpec:
    phases = [each for each in spec.phases if phase in {"", each.name}]
    if not phases:
        raise Problem(
            f"there is no phase {phase}; there are {', '.join(each.name for each in spec.phases)}", Exit.USAGE
        )
    gates = {gate.name: gate for each in reversed(phases) for gate in spec.gates_of(each)}
    chosen = [gate for gate in gates.values() if name in {"", gate.name}]
    if len(chosen) != 1:
        there = ", ".join(gates) or "none"
        raise Problem(f"--gate must name one of the gates; there are: {there}", Exit.USAGE)
    return chosen[0]


def _limited(gate: GateSpec, highest: str, lowest: str) -> GateSpec:
    if not highest and not lowest:
        return gate
    limit = {key: value for key, value in (("max", highest), ("min", lowest)) if value}
    try:
        return GateSpec.model_validate({**gate.model_dump(by_alias=True, exclude_none=True), "limit": limit})
    except ValueError as error:
        raise click.UsageError(f"--max and --min must be limits such as 0.5% or 200ms: {limit}") from error


def _row(each: Decided) -> tuple[str, ...]:
    judged = each.judged
    time = f"{judged.window_end:%Y-%m-%dT%H:%M:%SZ}"
    return (time, judged.verdict.value, judged.value or "-", judged.limit, f"{judged.samples:,}", judged.message)


def _outcome(gate: GateSpec, decided: list[Decided]) -> str:
    if not decided:
        window = f"windowSeconds, {gate.window_seconds:,}s"
        return f"gate {gate.name}: no interval can be judged, as the series is shorter than {window}"
    objection = decided[-1].objection
    if objection is not None:
        time = f"{decided[-1].judged.window_end:%Y-%m-%dT%H:%M:%SZ}"
        return f"{objection.message}: {objection.action} at {time}, {objection.reason}"
    counts: dict[str, int] = {}
    for each in decided:
        counts[each.judged.verdict.value] = counts.get(each.judged.verdict.value, 0) + 1
    told = ", ".join(f"{count:,} {verdict}" for verdict, count in counts.items())
    return f"gate {gate.name} would not have stopped the rollout: {told}"
