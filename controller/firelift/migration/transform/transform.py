"""What becomes of a document: a pure function, compiled once from a migration and used by all that works on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce

from firelift.api.cohort import Selection, entity_text
from firelift.api.migration import MigrationSpec, OnInvalid
from firelift.migration import fields as paths
from firelift.migration.conditions import holds
from firelift.migration.entrypoint import Entrypoint, load
from firelift.migration.errors import InvalidData
from firelift.migration.fields import written
from firelift.migration.refusal import Refused
from firelift.migration.store import Document, FieldPath, Fields, Value, ValueKit
from firelift.migration.structs import struct
from firelift.migration.transform.cel import Expression, compile_expression
from firelift.migration.transform.in_place import require_entity_kept, require_own_marker
from firelift.migration.transform.names import NOTHING, Names
from firelift.migration.transform.reshape import Reshape, compile_reshape, field_path
from firelift.migration.transform.rules import Rule, compile_rules
from firelift.migration.transform.template import PathTemplate, compile_template
from firelift.migration.transform.view import View


@struct
class Result:
    """A document as it should become: the whole of it, wherever it goes. In place `target` is its own path."""

    target: str
    fields: Fields


@struct
class LeftAlone:
    """A document that the migration does not apply to, with the reason."""

    reason: str


Outcome = Result | LeftAlone | Refused


@dataclass(frozen=True, slots=True)
class Transform:
    """A compiled migration."""

    spec: MigrationSpec
    kit: ValueKit
    now: datetime
    names: Names
    entity_key: FieldPath | None
    applies_when: Expression | None
    marker: tuple[FieldPath, Value] | None
    reshape: Reshape | Entrypoint
    rules: tuple[Rule, ...]
    template: PathTemplate | None
    ignored: tuple[FieldPath, ...]

    @property
    def renames(self) -> tuple[tuple[FieldPath, FieldPath], ...]:
        """Old and new path of each declared rename."""
        return self.reshape.renames if isinstance(self.reshape, Reshape) else ()

    def entity(self, document: Document) -> str | None:
        """The text that the cohort hashes; None for a record that has no entity.

        Raises:
            Refused: for a key that is neither a string nor an integer.
        """
        if self.entity_key is None:
            return document.id
        stored = paths.get(self.kit, document.fields, self.entity_key)
        try:
            return None if stored is None else entity_text(self.kit.decode(stored))
        except TypeError as error:
            raise Refused("entityKey", f"{written(self.entity_key)}: {error}") from error

    def selects(self, selection: Selection, seed: str, document: Document) -> bool:
        """Whether a run of this selection owns the document. A bad entity key has no cohort, and is met at 100 %."""
        # Of an entity its own document has told already, when the entities were listed.
        of_records = selection.where if self.spec.entity_collection is None else ()
        if of_records and not holds(self.kit, of_records, document.fields):
            return False
        if selection.everybody:
            return True
        try:
            return selection.covers(seed, self.entity(document))
        except Refused:
            return selection.covers(seed, None)

    def outcome(self, document: Document) -> Outcome:
        """What becomes of a document.

        Raises:
            InvalidData: instead of a refusal, where the migration says `onInvalid: Fail`.
        """
        outcome = self.attempt(document)
        return self.refused(document.path, outcome) if isinstance(outcome, Refused) else outcome

    def refused(self, path: str, refusal: Refused) -> Refused:
        """The refusal of a document.

        Raises:
            InvalidData: instead, where the migration says `onInvalid: Fail`.
        """
        if self.spec.on_invalid is not OnInvalid.FAIL:
            return refusal
        kept = " (what more is said quotes the document, and is kept in dead letters only)" if refusal.quotes else ""
        raise InvalidData(
            f"{path} broke {refusal.rule}: {refusal.reason}{kept}; onInvalid is Fail, so the run stops before it. "
            "Mend the document or the migration, or let such documents become dead letters"
        ) from refusal

    def attempt(self, document: Document) -> Outcome:
        """What becomes of a document, a refusal always answered and never raised."""
        try:
            return self._outcome(document)
        except Refused as refused:
            return refused

    def broken(self, document: Document) -> Refused | None:
        """The first rule over the result alone that a document which is a result already breaks."""
        try:
            view = self.view(document)
            for rule in self.rules:
                if rule.over_result_alone:
                    rule.check(view, document.fields)
        except Refused as refused:
            return refused
        return None

    def view(self, document: Document) -> View:
        """The document as expressions see it.

        Raises:
            Refused: for a key that is neither a string nor an integer.
        """
        return View(self.kit, document, self.entity(document), self.now, self.names)

    def _outcome(self, document: Document) -> Result | LeftAlone:
        view = self.view(document)
        left_alone = self.left_alone(view)
        if left_alone:
            return left_alone
        fields = self.reshape(view)
        if fields is None:
            return LeftAlone("the transform answered None")
        if self.marker:
            fields = paths.put(self.kit, fields, *self.marker, force=True)
        for rule in self.rules:
            rule.check(view, fields)
        if self.template:
            return Result(self.template.path(self.kit, document, view.entity), fields)
        self._require_done(view, fields)
        return Result(document.path, fields)

    def _require_done(self, view: View, fields: Fields) -> None:
        """Refuse a change in place after which the document would be nobody's, or one that is still to do."""
        # Of a declared transform it was refused to compile.
        of_python = isinstance(self.reshape, Entrypoint)
        if of_python and self.entity(replace(view.document, fields=fields)) != view.entity:
            raise Refused(
                "entityKey", "the result has another entity, so neither a sweep nor a verify would find the document"
            )
        if self._still_holds(view, fields) and any(paths.changed_paths(self.kit, view.document.fields, fields)):
            raise Refused(
                "appliesWhen", "still holds for the result, so the next sweep would change the document again"
            )

    def _still_holds(self, view: View, fields: Fields) -> bool:
        if self.marker or self.applies_when is None:
            return False
        try:
            return view.holds_for(self.applies_when, fields)
        except Refused as refused:
            told = "cannot be told of the result, as the next sweep must"
            raise refused.within(told, rule="appliesWhen") from refused

    def left_alone(self, view: View) -> LeftAlone | None:
        """Why the migration does not apply to a document; None when it does.

        Raises:
            Refused: when that cannot be told.
        """
        if self.marker:
            path, value = self.marker
            if paths.equal(self.kit, paths.get(self.kit, view.document.fields, path), value):
                return LeftAlone(f"the marker {written(path)} is there")
        if self.applies_when and not view.holds_for(self.applies_when, view.document.fields):
            return LeftAlone("appliesWhen is false")
        return None


def compile_transform(spec: MigrationSpec, kit: ValueKit, now: datetime) -> Transform:
    """Compile a migration; `now` is the rollout's frozen time.

    Raises:
        TransformUnusable: naming the field of the API that is wrong, and how.
    """
    many = spec.one_to_many
    declared = None if spec.transform.python else compile_reshape(spec.transform, with_item=many)
    applies_when = compile_expression(spec.applies_when, "appliesWhen", boolean=True) if spec.applies_when else None
    rules = compile_rules(spec.validate_, with_item=many)
    expressions = [*(declared.expressions if declared else ()), *(rule.expression for rule in rules)]
    expressions += [applies_when] if applies_when else []
    marker = (field_path(spec.marker.field, "marker.field"), kit.encode(spec.marker.value)) if spec.marker else None
    entity_key = field_path(spec.entity_key, "entityKey") if spec.entity_key else None
    if marker and declared:
        require_own_marker(marker[0], declared.written)
    if entity_key and spec.in_place:
        require_entity_kept(entity_key, (*(declared.touched if declared else ()), *((marker[0],) if marker else ())))
    return Transform(
        spec=spec,
        kit=kit,
        now=now,
        names=reduce(Names.union, (expression.doc for expression in expressions), NOTHING),
        entity_key=entity_key,
        applies_when=applies_when,
        marker=marker,
        reshape=declared or load(spec.transform.python.entrypoint if spec.transform.python else ""),
        rules=rules,
        template=compile_template(spec.target.document, spec.source) if spec.target.document else None,
        ignored=compile_ignored(spec),
    )


def compile_ignored(spec: MigrationSpec) -> tuple[FieldPath, ...]:
    """The paths that neither verify nor a revert looks at.

    Raises:
        TransformUnusable: naming the field of the API.
    """
    return tuple(field_path(path, "ignoreFields") for path in spec.ignore_fields)
