"""What must hold between the sections of an environment: names that are known, and one owner for each field."""

from __future__ import annotations

from typing import Any

from firelift.api.environment.database import Edition
from firelift.api.environment.indexes import CompositeIndex
from firelift.api.rules import Rule


def _secrets_are_known(spec: Any) -> bool:
    return all(set(account.secrets) <= set(spec.secrets) for account in spec.access.accounts.values())


def _budgets_tell_known_channels(spec: Any) -> bool:
    return all(set(budget.channels) <= set(spec.observability.channels) for budget in spec.project.budgets.values())


def _one_ttl_each(spec: Any) -> bool:
    return len({ttl.collection for ttl in spec.ttls.values()}) == len(spec.ttls)


def has_enough_fields(index: CompositeIndex) -> bool:
    """Whether a STANDARD database takes it: one of a single field it has by itself."""
    return len(index.fields) > 1 or any(field.vector is not None for field in index.fields)


def _fields_have_one_owner(spec: Any) -> bool:
    expiring = {(ttl.collection, ttl.path) for ttl in spec.ttls.values()}
    return expiring.isdisjoint((field.collection, field.path) for field in spec.indexes.fields.values())


ENVIRONMENT_RULES = (
    Rule(
        "self.access.accounts.all(k, self.access.accounts[k].secrets.all(s, s in self.secrets))",
        "`secrets` of an account must be keys of `spec.secrets`",
        _secrets_are_known,
        field=".access.accounts",
    ),
    Rule(
        "self.project.budgets.all(k, self.project.budgets[k].channels.all(c, c in self.observability.channels))",
        "`channels` of a budget must be keys of `observability.channels`",
        _budgets_tell_known_channels,
        field=".project.budgets",
    ),
    Rule(
        "self.ttls.all(k, self.ttls.exists_one(l, self.ttls[l].collection == self.ttls[k].collection))",
        "a collection must have one TTL only: Firestore takes no second one",
        _one_ttl_each,
        field=".ttls",
    ),
    Rule(
        "self.ttls.all(k, !self.indexes.fields.exists(f, self.indexes.fields[f].path == self.ttls[k].path"
        " && self.indexes.fields[f].collection == self.ttls[k].collection))",
        "a field with a TTL must have no override: its indexes are said by `keepIndexed` of the TTL",
        _fields_have_one_owner,
        field=".ttls",
    ),
    Rule(
        "self.database.edition == 'ENTERPRISE' || self.indexes.composite.all(k,"
        " self.indexes.composite[k].fields.size() > 1"
        " || self.indexes.composite[k].fields.exists(f, has(f.vector)))",
        "a composite index must have two fields or more, or one vector: Firestore indexes single fields by itself, and"
        " `indexes.fields` says where it should not",
        lambda spec: (
            spec.database.edition is Edition.ENTERPRISE
            or all(has_enough_fields(index) for index in spec.indexes.composite.values())
        ),
        field=".indexes.composite",
    ),
    Rule(
        "self.database.edition != 'ENTERPRISE' || self.indexes.fields.size() == 0",
        "`indexes.fields` must be empty with `edition: ENTERPRISE`, which indexes no field by itself",
        lambda spec: spec.database.edition is not Edition.ENTERPRISE or not spec.indexes.fields,
        field=".indexes.fields",
    ),
)
