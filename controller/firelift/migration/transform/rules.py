"""`validate`: rules over `doc` and `out` that a result must keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from firelift.api.migration import ValidateRule
from firelift.migration.refusal import Refused
from firelift.migration.store import Fields
from firelift.migration.transform.cel import Expression, compile_expression
from firelift.migration.transform.view import View


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled rule."""

    expression: Expression
    message: str

    @property
    def over_result_alone(self) -> bool:
        """Whether it can be checked on a result whose original is gone."""
        return not self.expression.doc.used

    def check(self, view: View, out: Fields) -> None:
        """Pass or raise.

        Raises:
            Refused: when the rule is false, or cannot be told.
        """
        if not self.expression.is_true(view.scope_with(out, self.expression.out)):
            text = self.expression.text
            raise Refused(text, self.message or f"the rule {text!r} does not hold")


def compile_rules(rules: Iterable[ValidateRule], *, with_item: bool = False) -> tuple[Rule, ...]:
    """The rules of a migration; `with_item` lets them see an element.

    Raises:
        TransformUnusable: naming the rule that is not valid.
    """
    return tuple(
        Rule(
            compile_expression(
                rule.rule, f"validate[{position}].rule", with_out=True, with_item=with_item, boolean=True
            ),
            rule.message,
        )
        for position, rule in enumerate(rules)
    )
