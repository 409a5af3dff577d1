"""`spec.access`: who may touch the database."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.environment.vocabulary import Line, SecretId, WorkloadIdentity
from firelift.api.lists import AS_SET
from firelift.api.rules import Rule, RuledModel, Rules

AccountId = Annotated[str, Field(max_length=30, pattern=r"^[a-z][-a-z0-9]{4,28}[a-z0-9]$")]
Role = Annotated[
    str, Field(max_length=128, pattern=r"^(roles|projects/[^/]+/roles|organizations/[0-9]+/roles)/[A-Za-z0-9_.]+$")
]
_OF_PEOPLE = ("roles/owner", "roles/editor")
_OURS = ("firelift-operator", "firelift-worker")


def _can_be_of_a_database(role: str) -> bool:
    return role.startswith("roles/datastore.") or not role.startswith("roles/")


class AccountSpec(RuledModel):
    """A service account of the project, made here."""

    display_name: Line = ""
    """What the console shows. Empty: the account's id."""
    roles: Annotated[tuple[Role, ...], Field(max_length=16), AS_SET] = ()
    """Conditional on this database where the role can be."""
    project_roles: Annotated[tuple[Role, ...], Field(max_length=16), AS_SET] = ()
    """On the whole project, without a condition."""
    secrets: Annotated[tuple[SecretId, ...], Field(max_length=32), AS_SET] = ()
    """Keys of `secrets` whose values it may read."""
    workload_identity: WorkloadIdentity | None = None

    rules: ClassVar[Rules] = (
        Rule(
            "self.roles.all(r, r.startsWith('roles/datastore.') || !r.startsWith('roles/'))",
            "`roles` must be roles/datastore.* or custom ones, which can be conditional on the database: put any other"
            " into `projectRoles`",
            lambda account: all(_can_be_of_a_database(role) for role in account.roles),
            field=".roles",
        ),
        Rule(
            "self.projectRoles.all(r, !(r in ['roles/owner', 'roles/editor']))",
            "`projectRoles` must not have roles/owner or roles/editor, which are for people who set a project up: name"
            " the roles that the program needs",
            lambda account: not set(_OF_PEOPLE) & set(account.project_roles),
            field=".projectRoles",
        ),
    )


class FireliftAccount(RuledModel):
    """What a part of Firelift needs on this database, and no more: for an account made here, or for `member`."""

    workload_identity: WorkloadIdentity | None = None
    member: Annotated[
        str, Field(max_length=253, pattern=r"^((user|group|serviceAccount|principal|principalSet):.+)?$")
    ] = ""
    """An identity that exists, with what kind it is, such as ``group:data@acme.com``. Empty: an account is made."""

    rules: ClassVar[Rules] = (
        Rule(
            "self.member == '' || !has(self.workloadIdentity)",
            "`member` must come without `workloadIdentity`, which is of an account that is made here",
            lambda account: not account.member or account.workload_identity is None,
        ),
    )


class AccessSpec(RuledModel):
    """Service accounts and what they may do."""

    accounts: Annotated[dict[AccountId, AccountSpec], Field(max_length=32)] = {}
    """Those of your own programs, by their account ids."""
    operator: FireliftAccount | None = None
    workers: FireliftAccount | None = None

    rules: ClassVar[Rules] = (
        Rule(
            "!('firelift-operator' in self.accounts) && !('firelift-worker' in self.accounts)",
            "the accounts firelift-operator and firelift-worker are made by `operator` and `workers`",
            lambda access: not set(_OURS) & set(access.accounts),
            field=".accounts",
        ),
    )
