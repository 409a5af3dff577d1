"""Runs a migration's transform on documents of a test, and watches the function that it calls."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from firelift.api.migration import MigrationSpec
from firelift.functions import Context
from firelift.migration.aggregate.groups import compile_aggregation
from firelift.migration.entrypoint import Entrypoint, Function
from firelift.migration.fields import changed_paths
from firelift.migration.processors.findings import differences
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, Fields
from firelift.migration.transform import transform as compiled
from firelift.migration.transform.one_to_many import Elements, compile_one_to_many
from firelift.migration.transform.plain import same
from firelift.migration.transform.reverse import compile_reverse
from firelift.migration.transform.transform import Transform, compile_transform
from firelift.stores.firestore.exact import KIT, fields_of_json, fields_to_stored, from_stored
from firelift.testing.groups import grouped
from firelift.testing.outcomes import DeadLetter, LeftAlone, Moved, Outcome, Split

NOW = datetime(2026, 1, 1, tzinfo=UTC)
READ = 1_767_225_600_000_000
"""Of the documents: `NOW` in microseconds."""


Made: TypeAlias = compiled.Outcome | Elements


class NotRepeatable(AssertionError):
    """The same document led to two results, so that verify would find each copy different."""


class InputChanged(AssertionError):
    """The function has changed the document that it was given; allow it with `may_change_input`."""


@dataclass(frozen=True, slots=True)
class TransformTester:
    """One migration. Documents are plain dicts, or dicts in the JSON of Firestore's REST API under `run_json`."""

    transform: Transform
    may_change_input: bool = False

    @classmethod
    def of_entrypoint(
        cls, entrypoint: str, *, many: bool = False, now: datetime = NOW, may_change_input: bool = False
    ) -> TransformTester:
        """A function by its name ``module:attribute``, as the transform of a migration that copies by id.

        With `many` it splits, and its documents are told apart by their numbers.

        Raises:
            TransformUnusable: as the worker would, when it is no plain function of two arguments.
        """
        spec = {
            "name": "tested",
            "source": {"collection": "sources"},
            "target": {"document": "targets/{id}/elements/{index}" if many else "targets/{id}"},
            "transform": {"python": {"entrypoint": entrypoint, "many": many}},
        }
        return cls.of_migration(spec, now=now, may_change_input=may_change_input)

    @classmethod
    def of_manifest(
        cls, manifest: str | PathLike[str], migration: str, *, now: datetime = NOW, may_change_input: bool = False
    ) -> TransformTester:
        """A migration of a MigrationRollout in a file of YAML, by its name.

        Raises:
            LookupError: when the file has none of that name.
            ValueError: when it is not valid; `TransformUnusable` when it cannot be compiled.
        """
        with Path(manifest).open(encoding="utf-8") as file:
            documents = [each for each in yaml.safe_load_all(file) if isinstance(each, dict)]
        found = [spec for each in documents for spec in (each.get("spec") or {}).get("migrations") or ()]
        named = next((spec for spec in found if spec.get("name") == migration), None)
        if named is None:
            names = ", ".join(str(spec.get("name")) for spec in found) or "none"
            raise LookupError(f"{manifest} has no migration {migration}; it has {names}")
        return cls.of_migration(named, now=now, may_change_input=may_change_input)

    @classmethod
    def of_migration(
        cls, spec: Mapping[str, Any], *, now: datetime = NOW, may_change_input: bool = False
    ) -> TransformTester:
        """An item of `spec.migrations`; raises as `of_manifest`."""
        return cls(compile_transform(MigrationSpec.model_validate(spec), KIT, now), may_change_input)

    def run(self, document: Mapping[str, Any], *, path: str = "sources/1") -> Outcome:
        """What the worker would make of a document at `path`.

        Values are plain Python, with `Reference`, `GeoPoint` and `Vector` for what has no plain form.

        Raises:
            NotRepeatable: when a second run makes something else of it.
            InputChanged: when the function has changed its input.
        """
        return self._run(path, fields_to_stored(document))

    def run_group(self, documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Outcome]:
        """What the worker would make of an aggregate's documents, given by their paths.

        An outcome for each target; a document that belongs to no group has one by its own path.

        Raises:
            NotRepeatable, InputChanged: as `run`.
            TypeError: for a migration that is no aggregate.
        """
        if self.transform.spec.target.aggregate is None:
            raise TypeError(f"{self.transform.spec.name} is no aggregate: give `run` its documents one by one")
        aggregation = compile_aggregation(self.transform.spec, self.transform)
        reducer = aggregation.reducer
        if reducer is not None and not self.may_change_input:
            aggregation = replace(aggregation, reducer=_Watched(reducer.name, _watching(reducer.function)))
        sources = [Document(path, fields_to_stored(each), READ, READ, READ) for path, each in documents.items()]
        first, second = grouped(aggregation, sources), grouped(aggregation, sources)
        for target, made in first.items():
            _require_same(target, made, second[target])
        return {target: _told(made) for target, made in first.items()}

    def run_reverse(self, document: Mapping[str, Any], *, path: str) -> Outcome:
        """What a revert would make of a document at `path` that only the app wrote, in the new shape.

        Raises:
            NotRepeatable, InputChanged: as `run`.
            TypeError: for a migration without `reverse`.
        """
        if self.transform.spec.reverse is None:
            raise TypeError(f"{self.transform.spec.name} has no `reverse`: such a document stays as it is")
        reverse, source = compile_reverse(self._watched()), Document(path, fields_to_stored(document), READ, READ, READ)
        if not reverse.speaks_of(path):
            return LeftAlone(f"{path} is no path that {self.transform.spec.name} leads to")
        if isinstance(reverse.reshape, Entrypoint) and not self.may_change_input:
            watched = _Watched(reverse.reshape.name, _watching(reverse.reshape.function))
            reverse = replace(reverse, reshape=watched)
        made = reverse.back(source)
        _require_same(path, made, reverse.back(source))
        return _told(made)

    def run_json(self, document: Mapping[str, Any], *, path: str = "") -> Outcome:
        """The same for a document in Firestore's JSON, at its own ``name`` when `path` is empty."""
        name = str(document.get("name", "")).partition("/documents/")[2]
        return self._run(path or name or "sources/1", fields_of_json(document))

    def _run(self, path: str, fields: Fields) -> Outcome:
        if self.transform.spec.target.aggregate is not None:
            raise TypeError(f"{self.transform.spec.name} is an aggregate: give `run_group` its documents together")
        source = Document(path, fields, READ, READ, READ)
        watched = self._watched()
        attempt = compile_one_to_many(watched).attempt if watched.spec.one_to_many else watched.attempt
        first, second = attempt(source), attempt(source)
        _require_same(path, first, second)
        return _told(first)

    def _watched(self) -> Transform:
        made = self.transform.reshape
        if self.may_change_input or not isinstance(made, Entrypoint):
            return self.transform
        return replace(self.transform, reshape=_Watched(made.name, _watching(made.function)))


def _require_same(path: str, first: Made, second: Made) -> None:
    fault = _unlike(first, second)
    if fault:
        raise NotRepeatable(
            f"{path}: {fault} when it was run again; it must answer from the document and the context alone: no "
            "clock (there is context.now), no chance, no state that it keeps"
        )


class _Watched(Entrypoint):
    """An entry point whose tripwire is not taken for a failure of the function."""

    __slots__ = ()

    def guarded(self, call: Any) -> Any:
        try:
            return super().guarded(call)
        except Refused as refused:
            if isinstance(refused.__cause__, InputChanged):
                raise refused.__cause__ from None
            raise


def _watching(function: Function) -> Function:
    def watched(values: dict[str, Any], context: Context) -> Any:
        before = deepcopy(values)
        answer = function(values, context)
        if not same(before, values):
            raise InputChanged(
                f"{context.path}: the function has changed {_what(before, values)}; build a new one, such as "
                "{**doc, …}, or allow it with may_change_input=True"
            )
        return answer

    return watched


def _what(before: Any, values: Any) -> str:
    if isinstance(values, list):
        return "the documents that it was given"
    names = sorted(name for name in before.keys() | values.keys() if not same(before.get(name), values.get(name)))
    return f"the document that it was given, at {', '.join(names)}"


def _unlike(first: Made, second: Made) -> str:
    """How two runs of one document differ; empty when they do not."""
    match first, second:
        case Elements(results), Elements(others):
            if len(results) != len(others):
                return f"it had {len(others)} elements and not {len(results)}"
            return next(filter(None, map(_unlike, results, others)), "")
        case compiled.Result(target, fields), compiled.Result(other, others):
            at = list(changed_paths(KIT, fields, others))
            if target != other:
                return f"it went to {other} and not to {target}"
            return differences(KIT, others, fields, at) if at else ""
        case Refused(), Refused():
            return ""
    return "" if first == second else f"it was {type(second).__name__} and not {type(first).__name__}"


def _told(outcome: Made) -> Outcome:
    match outcome:
        case compiled.Result(target, fields):
            return Moved(target, _exact(fields))
        case Elements(results):
            return Split({result.target: _exact(result.fields) for result in results})
        case Refused() as refused:
            return DeadLetter(refused.rule, refused.whole)
    return LeftAlone(outcome.reason)


def _exact(fields: Fields) -> dict[str, Any]:
    return {name: from_stored(value) for name, value in fields.items()}
