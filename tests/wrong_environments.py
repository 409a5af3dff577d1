"""Environments that are wrong, each with the sentence that it must get, from the API server and offline alike."""

from typing import Any, NamedTuple

import pytest
from _pytest.mark import ParameterSet
from tests.manifests import REMOVE, TELEMETRY_INDEX, Edit
from tests.wrong_manifests import Wrong


class Forbidden(NamedTuple):
    """An edit of a stored environment that the API server must refuse."""

    edits: tuple[Edit, ...]
    sentence: str


_PROJECT, _DATABASE, _TERRAFORM = "spec.project", "spec.database", "spec.terraform"
_INDEX, _FIELD = "spec.indexes.composite.telemetry-by-device", "spec.indexes.fields.telemetry-payload"
_TTL, _ACCOUNT = "spec.ttls.telemetry", "spec.access.accounts.bas-app-prod"
_CHANNEL, _ALERTS = "spec.observability.channels.on-call", "spec.observability.alerts"
_ONE_KIND = "a field of an index must have exactly one of `order`, `arrayConfig` and `vector`"
_OVERRIDE = "an override must have either `indexed: false` or `indexes`"
_DOCUMENT_NAME = "`__name__` must only be the last field of an index, with the `order` to force"
_KEPT_BACK = "`auth_token`, `password` and `service_key`"
_ENVIRONMENT = ("spec.target", {"kind": "FirestoreEnvironment", "name": "right"})
_LOSES = "`loses` and `duringRollouts` must only be used to approve the plan of a FirestoreEnvironment"


def _wrong(name: str, sentence: str, *edits: Edit, offline: str = "") -> ParameterSet:
    return pytest.param(Wrong(edits, sentence, offline), id=name)


_OF_PROJECT = (
    _wrong("no project", "Required value", (_PROJECT, REMOVE), offline="Field required"),
    _wrong("a project's id that is none", "should match", (f"{_PROJECT}.id", "My Project"),
           offline="should match pattern"),
    _wrong("a project in two places", "a project must be put into an `organization` or a `folder`, not both",
           (f"{_PROJECT}.create.organization", "42")),
    _wrong("labels of somebody else's project", "`labels` must come with `create`",
           (f"{_PROJECT}.create", REMOVE), (f"{_PROJECT}.budgets", {})),
    _wrong("a budget of nobody", "a budget must have a `billingAccount`, its own or that of `create`",
           (f"{_PROJECT}.create.billingAccount", "")),
    _wrong("a budget that tells nobody known", "`channels` of a budget must be keys of `observability.channels`",
           (f"{_PROJECT}.budgets.monthly.channels", ["nobody"])),
    _wrong("a budget with cents", "must be of type integer", (f"{_PROJECT}.budgets.monthly.amount", 9.5),
           offline="Input should be a valid integer"),
    _wrong("a threshold that is no share", "should match", (f"{_PROJECT}.budgets.monthly.thresholds", ["half"]),
           offline="should match pattern"),
    _wrong("a service that is not Google's", "should match", (f"{_PROJECT}.services", ["firestore"]),
           offline="should match pattern"),
    _wrong("a service twice", "Duplicate value", (f"{_PROJECT}.services.1", "firestore.googleapis.com")),
)  # fmt: skip

_OF_DATABASE = (
    _wrong("no location", "Required value", (f"{_DATABASE}.location", REMOVE), offline="Field required"),
    _wrong("an unknown edition", "Unsupported value", (f"{_DATABASE}.edition", "PREMIUM"), offline="Input should be"),
    _wrong("a backup that is kept for too long", "should be less than or equal to 98",
           (f"{_DATABASE}.backups.daily.retentionDays", 99), offline="less than or equal to 98"),
    _wrong("a weekly backup on no day", "Required value", (f"{_DATABASE}.backups.weekly", {"retentionDays": 7}),
           offline="Field required"),
)  # fmt: skip

_OF_INDEXES = (
    _wrong("a field of two kinds", _ONE_KIND, (f"{_INDEX}.fields.0.arrayConfig", "CONTAINS")),
    _wrong("a field of no kind", _ONE_KIND, (f"{_INDEX}.fields.0.order", REMOVE)),
    _wrong("an index of one field", "a composite index must have two fields or more, or one vector",
           (f"{_INDEX}.fields", [{"path": "tenant_id", "order": "ASCENDING"}])),
    _wrong("an index of no field", "should have at least 1 items", (f"{_INDEX}.fields", []),
           offline="should have at least 1 item"),
    _wrong("an index with a field twice", "Duplicate value", (f"{_INDEX}.fields.1.path", "tenant_id")),
    _wrong("an index of two arrays", "an index must have at most one field with `arrayConfig`",
           (f"{_INDEX}.fields.0", {"path": "a", "arrayConfig": "CONTAINS"}),
           (f"{_INDEX}.fields.1", {"path": "b", "arrayConfig": "CONTAINS"})),
    _wrong("a vector that is not last", "the field with `vector` must be the last one of its index",
           (f"{_INDEX}.fields.0", {"path": "embedding", "vector": {"dimension": 8}})),
    _wrong("a name that is not last", _DOCUMENT_NAME,
           (f"{_INDEX}.fields.0", {"path": "__name__", "order": "ASCENDING"})),
    _wrong("a name that is an array", _DOCUMENT_NAME,
           (f"{_INDEX}.fields.2", {"path": "__name__", "arrayConfig": "CONTAINS"})),
    _wrong("a collection that is a path", "should match", (f"{_INDEX}.collection", "users/ada/telemetry"),
           offline="should match pattern"),
    _wrong("an index with a key that is no name", "match ^[a-z0-9]",
           ("spec.indexes.composite.By Device", TELEMETRY_INDEX), offline="should match pattern"),
    _wrong("an override of nothing", _OVERRIDE, (f"{_FIELD}.indexed", True)),
    _wrong("an override that is and is not indexed", _OVERRIDE, (f"{_FIELD}.indexes", [{"order": "ASCENDING"}])),
    _wrong("an index of one field of no kind", "an index of one field must have exactly one of",
           (f"{_FIELD}.indexed", REMOVE), (f"{_FIELD}.indexes", [{}])),
    _wrong("a field with two overrides", "a field of a collection must have one override only",
           ("spec.indexes.fields.again", {"collection": "telemetry", "path": "payload", "indexed": False})),
    _wrong("a field with a TTL and an override", "a field with a TTL must have no override",
           (f"{_FIELD}.path", "expireAt")),
    _wrong("an override of what is not indexed anyway", "`indexes.fields` must be empty with `edition: ENTERPRISE`",
           (f"{_DATABASE}.edition", "ENTERPRISE")),
    _wrong("two TTLs of a collection", "a collection must have one TTL only",
           ("spec.ttls.again", {"collection": "telemetry", "path": "goneAt"})),
    _wrong("a TTL of every field", "should match", (f"{_TTL}.path", "*"), offline="should match pattern"),
)  # fmt: skip

_OF_ACCESS = (
    _wrong("a role that takes no condition", "`roles` must be roles/datastore.* or custom ones",
           (f"{_ACCOUNT}.roles", ["roles/logging.logWriter"])),
    _wrong("a role of people", "`projectRoles` must not have roles/owner or roles/editor",
           (f"{_ACCOUNT}.projectRoles", ["roles/editor"])),
    _wrong("an identity that is there and is made", "`member` must come without `workloadIdentity`",
           ("spec.access.workers.member", "user:ada@example.com")),
    _wrong("a role that is none", "should match", (f"{_ACCOUNT}.roles", ["editor"]), offline="should match pattern"),
    _wrong("a secret that is not declared", "`secrets` of an account must be keys of `spec.secrets`",
           (f"{_ACCOUNT}.secrets", ["nobody"])),
    _wrong("an account that is Firelift's", "are made by `operator` and `workers`",
           ("spec.access.accounts.firelift-worker", {})),
    _wrong("an account with a short id", "match ^[a-z]", ("spec.access.accounts.app", {}),
           offline="should match pattern"),
)  # fmt: skip

_OF_OBSERVABILITY = (
    _wrong("an alert that tells nobody known",
           "`channels` of the alert errorRatio must be keys of `observability.channels`",
           (f"{_ALERTS}.errorRatio.channels", ["nobody"])),
    _wrong("a token that every plan would show", f"{_KEPT_BACK} must be in `secretLabels`",
           (f"{_CHANNEL}.labels", {"auth_token": "hunter2"})),
    _wrong("a secret label of one's own", f"`secretLabels` must be of {_KEPT_BACK}",
           (f"{_CHANNEL}.secretLabels", {"channel_name": {"name": "slack", "key": "channel"}})),
    _wrong("a ratio that is a number", "must be of type string", (f"{_ALERTS}.errorRatio.above", 2),
           offline="Input should be a valid string"),
    _wrong("a latency without a unit", "should match", (f"{_ALERTS}.latencyP95.above", "800"),
           offline="should match pattern"),
    _wrong("a window that Cloud Monitoring cannot align", "should be a multiple of 60",
           (f"{_ALERTS}.errorRatio.windowSeconds", 90), offline="multiple of 60"),
    _wrong("an alert of one's own", 'unknown field "spec.observability.alerts.deletesPerDay"',
           (f"{_ALERTS}.deletesPerDay", {"above": 1}), offline="Extra inputs are not permitted"),
)  # fmt: skip

_OF_TERRAFORM = (
    _wrong("a state in two places", "`backend` must have exactly one of `kubernetes` and `gcs`",
           (_TERRAFORM, {"backend": {"kubernetes": {}, "gcs": {"bucket": "states"}}})),
    _wrong("a state nowhere", "`backend` must have exactly one of `kubernetes` and `gcs`",
           (_TERRAFORM, {"backend": {}})),
    _wrong("a drift that is looked for without rest", "`driftIntervalSeconds` must be 0 or at least 60",
           (_TERRAFORM, {"driftIntervalSeconds": 5})),
    _wrong("an unknown output", "Unsupported value", (_TERRAFORM, {"sensitiveOutputs": ["password"]}),
           offline="Input should be"),
    _wrong("an output twice", "Duplicate value", (_TERRAFORM, {"sensitiveOutputs": ["accounts", "accounts"]})),
    _wrong("an unknown way to apply", "Unsupported value", (_TERRAFORM, {"apply": "Always"}),
           offline="Input should be"),
    _wrong("a misspelt section", 'unknown field "spec.monitoring"', ("spec.monitoring", {}),
           offline="Extra inputs are not permitted"),
)  # fmt: skip

WRONG_ENVIRONMENTS: tuple[Any, ...] = (
    *_OF_PROJECT,
    *_OF_DATABASE,
    *_OF_INDEXES,
    *_OF_ACCESS,
    *_OF_OBSERVABILITY,
    *_OF_TERRAFORM,
)

WRONG_ENVIRONMENT_APPROVALS: tuple[Any, ...] = (
    _wrong("a plan that is skipped", "must be answered with Approve or Reject, not Skip", _ENVIRONMENT,
           ("spec.decision", "Skip")),
    _wrong("a rollout that loses", _LOSES, ("spec.loses", ['google_firestore_field.ttl["telemetry"]'])),
    _wrong("a rollout during rollouts", _LOSES, ("spec.duringRollouts", True)),
    _wrong("a rejection that loses", _LOSES, _ENVIRONMENT, ("spec.decision", "Reject"), ("spec.loses", ["a.b"])),
    _wrong("an address twice", "Duplicate value", _ENVIRONMENT, ("spec.loses", ["a.b", "a.b"])),
)  # fmt: skip


def _forbidden(name: str, sentence: str, *edits: Edit) -> ParameterSet:
    return pytest.param(Forbidden(edits, sentence), id=name)


FORBIDDEN_EDITS: tuple[Any, ...] = (
    _forbidden("another project", "`project.id` must not change from productivityai-mvp to another-project",
               (f"{_PROJECT}.id", "another-project")),
    _forbidden("another database", "`database.name` must not change from (default) to other",
               (f"{_DATABASE}.name", "other")),
    _forbidden("another location", "`database.location` must not change from nam5 to eur3: a database cannot move",
               (f"{_DATABASE}.location", "eur3")),
    _forbidden("another edition", "`database.edition` must not change from STANDARD to ENTERPRISE",
               (f"{_DATABASE}.edition", "ENTERPRISE"), ("spec.indexes.fields", {})),
    _forbidden("another backend", "`terraform.backend` must not change: its state would be left behind",
               (f"{_TERRAFORM}.backend", {"gcs": {"bucket": "states"}})),
    _forbidden("another namespace of the state", "`terraform.backend` must not change",
               (f"{_TERRAFORM}.backend.kubernetes.namespace", "elsewhere")),
    _forbidden("a falling attempt", "`attempt` must only rise: it was 2 and cannot become 1", ("spec.attempt", 1)),
)  # fmt: skip
