"""The page on environments: every field that it shows is there, and every field that is there is shown."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from firelift.api.approval import ApprovalSpec
from firelift.api.environment.conditions import EnvironmentConditionType, EnvironmentReason
from firelift.api.environment.spec import EnvironmentSpec
from firelift.api.environment.status import EnvironmentStatus

_PAGE = (Path(__file__).parents[2] / "docs" / "environments.md").read_text(encoding="utf-8")
_BLOCKS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", _PAGE, re.DOTALL)]
_SPECS = [block["spec"] for block in _BLOCKS if block.get("kind") == "FirestoreEnvironment"]
_STATUSES = [block["status"] for block in _BLOCKS if "status" in block]
_APPROVALS = [block["spec"] for block in _BLOCKS if block.get("kind") == "MigrationApproval"]


def _models(value: Any) -> Iterator[BaseModel]:
    """The model and all models in it."""
    match value:
        case BaseModel():
            yield value
            for name in type(value).model_fields:
                yield from _models(getattr(value, name))
        case dict():
            for each in value.values():
                yield from _models(each)
        case tuple():
            for each in value:
                yield from _models(each)


def _unshown(model: type[BaseModel], manifests: list[Any]) -> list[str]:
    shown: dict[type[BaseModel], set[str]] = {}
    for part in (part for manifest in manifests for part in _models(model.model_validate(manifest))):
        shown.setdefault(type(part), set()).update(part.model_fields_set)
    return sorted(
        f"{kind.__name__}.{field.alias or name}"
        for kind, said in shown.items()
        for name, field in kind.model_fields.items()
        if name not in said
    )


@pytest.mark.parametrize(
    ("model", "manifests"), [(EnvironmentSpec, _SPECS), (EnvironmentStatus, _STATUSES)], ids=["spec", "status"]
)
def test_every_field_that_is_there_is_shown_and_the_other_way_round(
    model: type[BaseModel], manifests: list[Any]
) -> None:
    assert manifests != []
    assert _unshown(model, manifests) == []


def test_the_approval_on_the_page_is_one_for_an_environment() -> None:
    (approval,) = _APPROVALS
    assert ApprovalSpec.model_validate({**approval, "digest": "sha256:" + "0" * 64}).loses != ()


def test_every_condition_and_every_reason_is_on_the_page() -> None:
    words = set(re.findall(r"\w+", _PAGE))
    assert [name for name in (*EnvironmentConditionType, *EnvironmentReason) if name not in words] == []
