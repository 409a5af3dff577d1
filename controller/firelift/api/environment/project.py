"""`spec.project`: the Google Cloud project, which is made here or exists already."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from firelift.api.base import Model
from firelift.api.environment.vocabulary import Key
from firelift.api.lists import AS_SET
from firelift.api.references import ProjectId
from firelift.api.rules import Rule, RuledModel, Rules

BillingAccount = Annotated[str, Field(max_length=20, pattern=r"^([0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6})?$")]
Number = Annotated[str, Field(max_length=32, pattern=r"^[0-9]*$")]
Service = Annotated[str, Field(max_length=128, pattern=r"^[a-z0-9]+(\.[a-z0-9-]+)*\.googleapis\.com$")]
LabelKey = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z][-_a-z0-9]*$")]
LabelValue = Annotated[str, Field(max_length=63, pattern=r"^[-_a-z0-9]*$")]
SpentShare = Annotated[str, Field(max_length=8, pattern=r"^[1-9][0-9]{0,2}%$")]


class ProjectCreation(RuledModel):
    """A project that is made here, and belongs to this environment."""

    name: Annotated[str, Field(min_length=4, max_length=30)]
    """What the console shows."""
    organization: Number = ""
    """The number of the organization that it is put into."""
    folder: Number = ""
    """The number of the folder that it is put into."""
    billing_account: BillingAccount = ""
    """Who pays. Without one, only what costs nothing works."""

    rules: ClassVar[Rules] = (
        Rule(
            "self.organization == '' || self.folder == ''",
            "a project must be put into an `organization` or a `folder`, not both",
            lambda create: not (create.organization and create.folder),
        ),
    )


class Budget(Model):
    """An amount each month, and who hears of it at which share. Nothing is ever switched off by it."""

    amount: Annotated[int, Field(ge=1, le=1_000_000_000)]
    """In whole units of the currency."""
    currency: Annotated[str, Field(max_length=3, pattern=r"^[A-Z]{3}$")] = "USD"
    """That of the billing account."""
    thresholds: Annotated[tuple[SpentShare, ...], Field(min_length=1, max_length=10), AS_SET] = ("50%", "90%", "100%")
    """The shares of the amount at which the channels are told."""
    channels: Annotated[tuple[Key, ...], Field(max_length=5), AS_SET] = ()
    """Keys of `observability.channels`."""
    billing_account: BillingAccount = ""
    """Whose money is counted. Empty: `billingAccount` of `create`."""


class ProjectSpec(RuledModel):
    """Where everything is."""

    id: ProjectId
    """Immutable."""
    create: ProjectCreation | None = None
    """Absent: the project exists, and is only read."""
    services: Annotated[tuple[Service, ...], Field(max_length=64), AS_SET] = ()
    """APIs to enable. They are never disabled again, because others may use them."""
    labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=32)] = {}
    """Of a created project."""
    budgets: Annotated[dict[Key, Budget], Field(max_length=8)] = {}
    """Amounts of money that are watched."""

    rules: ClassVar[Rules] = (
        Rule(
            "self.labels.size() == 0 || has(self.create)",
            "`labels` must come with `create`: a project that exists keeps the labels of its owner",
            lambda project: not project.labels or project.create is not None,
            field=".labels",
        ),
        Rule(
            "self.budgets.all(k, self.budgets[k].billingAccount != '')"
            " || (has(self.create) && self.create.billingAccount != '')",
            "a budget must have a `billingAccount`, its own or that of `create`",
            lambda project: (
                all(budget.billing_account for budget in project.budgets.values())
                or bool(project.create and project.create.billing_account)
            ),
            field=".budgets",
        ),
    )
