"""Cross-field rules: one sentence, judged by the API server in CEL and by pydantic offline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import ConfigDict, model_validator

from firelift.api.base import Model


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule over one object.

    `cel` is the API server's half, `holds` is ours; None
    for a rule over a change, which only the API server sees. `message` is the sentence; its ``%d`` and ``%s`` are
    filled from `inserts`, which are CEL, and `values`, the same in Python. `field` is the path, such as
    ``.spec.attempt``, that the API server names as wrong.
    """

    cel: str
    message: str
    holds: Callable[[Any], bool] | None = None
    inserts: tuple[str, ...] = ()
    values: Callable[[Any], tuple[int | str, ...]] = lambda _: ()
    field: str = ""

    def sentence(self, value: Any) -> str:
        """The sentence for an object that breaks the rule."""
        return self.message % self.values(value) if self.inserts else self.message

    def manifest(self) -> dict[str, str]:
        """The rule as an item of `x-kubernetes-validations`."""
        # The size of string(int) is unknown to the estimator of costs, that of a format is not.
        filled = f"'{self.message}'.format([{', '.join(self.inserts)}])"
        says = {"messageExpression": filled} if self.inserts else {"message": self.message}
        parts = {"rule": self.cel, **says, "fieldPath": self.field}
        return {key: value for key, value in parts.items() if value}


Rules = tuple[Rule, ...]


def _add_rules(schema: dict[str, Any], model: type[RuledModel]) -> None:
    if manifests := [rule.manifest() for rule in model.rules]:
        schema["x-kubernetes-validations"] = manifests


class RuledModel(Model):
    """A model whose `rules` hold for every instance, and stand in its schema."""

    model_config = ConfigDict(json_schema_extra=_add_rules)

    rules: ClassVar[Rules] = ()

    @model_validator(mode="after")
    def _keep_rules(self) -> Self:
        broken = [rule.sentence(self) for rule in self.rules if rule.holds and not rule.holds(self)]
        if broken:
            raise ValueError("; ".join(broken))
        return self
