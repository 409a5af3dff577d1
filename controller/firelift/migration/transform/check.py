"""What can be said against a migration before anything of it has run."""

from __future__ import annotations

from datetime import UTC, datetime

from firelift.api.migration import MigrationSpec
from firelift.api.transform import TransformSpec
from firelift.migration.errors import TransformUnusable
from firelift.migration.store import ValueKit
from firelift.migration.transform.one_to_many import compile_one_to_many
from firelift.migration.transform.reverse import compile_reverse
from firelift.migration.transform.transform import compile_transform

ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def problem(spec: MigrationSpec, kit: ValueKit) -> str:
    """The first thing that is wrong with its paths and expressions, as a sentence; empty when there is none.

    A Python entry point is not loaded: only the worker's image has it.
    """
    declared = spec.model_copy(update={"transform": TransformSpec()}) if spec.transform.python else spec
    try:
        transform = compile_transform(declared, kit, ANY_TIME)
        if declared.one_to_many:
            compile_one_to_many(transform)
        if declared.reverse and not declared.reverse.transform.python:
            compile_reverse(transform)
    except TransformUnusable as unusable:
        return f"migration {spec.name}: {unusable}"
    return ""
