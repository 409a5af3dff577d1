"""What is known of each type of resource that the modules make. What the table does not name counts as a loss.

Types and attributes are written out in full: `google_project_iam_member` adds one grant, while its siblings
`google_project_iam_binding` and `google_project_iam_policy` take away what others have granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from firelift.environment import loss_rules as rules
from firelift.environment.loss_rules import LossRule, leaves, nothing, says

DATABASE = "google_firestore_database"
INDEX = "google_firestore_index"
FIELD = "google_firestore_field"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of one type, which loses nothing by being made.

    `removed` judges its deletion and its replacement, `changed` the attributes whose change may lose something;
    `harmless` are those whose change never does. Any other attribute counts as a loss.
    """

    removed: LossRule = nothing
    changed: Mapping[str, LossRule] = field(default_factory=dict)
    harmless: frozenset[str] = frozenset()


def _of(attributes: str) -> frozenset[str]:
    return frozenset(attributes.split())


_GUARDED = rules.kept_no_more("ABANDON", "PREVENT")
_GRANT = Judgement(harmless=_of("etag"))
_RULES_CHANGE = says(
    "other security rules are released: mobile and web clients may read, overwrite and delete what those let them"
)

JUDGEMENTS: Mapping[str, Judgement] = MappingProxyType(
    {
        DATABASE: Judgement(
            removed=rules.database,
            changed={
                "point_in_time_recovery_enablement": leaves(
                    "point_in_time_recovery_enablement",
                    "POINT_IN_TIME_RECOVERY_ENABLED",
                    says="point-in-time recovery goes off: versions of the last seven days go with it",
                ),
                "delete_protection_state": leaves(
                    "delete_protection_state",
                    "DELETE_PROTECTION_ENABLED",
                    says="delete protection goes off: whoever may delete the database can",
                ),
                "deletion_policy": _GUARDED,
            },
            harmless=_of(
                "concurrency_mode create_time earliest_version_time etag key_prefix uid update_time"
                " version_retention_period"
            ),
        ),
        "google_firestore_backup_schedule": Judgement(
            removed=says("backup schedule {name} goes: no more backups are made by it"),
            changed={"retention": rules.retention, "deletion_policy": _GUARDED},
            harmless=_of("name"),
        ),
        # Those that go are judged by the rollouts that need them, new TTLs by the documents that they watch.
        INDEX: Judgement(harmless=_of("deletion_policy name")),
        FIELD: Judgement(changed={"ttl_config": rules.ttl}, harmless=_of("deletion_policy index_config name")),
        "google_secret_manager_secret": Judgement(
            removed=says("secret {name} goes with its values, which cannot be had again"),
            changed={
                "deletion_policy": _GUARDED,
                "deletion_protection": leaves(
                    "deletion_protection",
                    "TRUE",
                    says="secret {name} is protected no more: whoever may delete it can",
                ),
                "expire_time": rules.becomes(
                    "expire_time",
                    "secret {name} goes with its values at another time, {after} instead of {before}",
                ),
                "ttl": rules.becomes(
                    "ttl",
                    "secret {name} goes with its values after another time, {after} instead of {before}",
                ),
                "version_destroy_ttl": rules.waits_less,
            },
            harmless=_of(
                "annotations create_time effective_annotations effective_labels labels name rotation terraform_labels"
                " topics version_aliases"
            ),
        ),
        "google_secret_manager_secret_version": Judgement(
            removed=rules.secret_version,
            changed={"deletion_policy": rules.kept_no_more("ABANDON", "DISABLE", "PREVENT")},
            harmless=_of("create_time destroy_time enabled name version"),
        ),
        "google_project": Judgement(
            removed=says("project {name} is deleted with everything in it"),
            changed={"billing_account": rules.billing, "deletion_policy": _GUARDED},
            harmless=_of("effective_labels labels name number terraform_labels"),
        ),
        "google_project_service": Judgement(
            removed=rules.service,
            changed={"disable_on_destroy": rules.disabling},
            harmless=_of("deletion_policy disable_dependent_services"),
        ),
        "google_service_account": Judgement(
            removed=says(
                "service account {name} goes with its keys and all that it was granted elsewhere: one of that name that"
                " is made anew is another one"
            ),
            changed={"deletion_policy": _GUARDED},
            harmless=_of("create_ignore_already_exists description disabled display_name email member name unique_id"),
        ),
        "google_project_iam_custom_role": Judgement(
            harmless=_of("deleted deletion_policy description name permissions stage title")
        ),
        "google_project_iam_member": _GRANT,
        "google_secret_manager_secret_iam_member": _GRANT,
        "google_service_account_iam_member": _GRANT,
        "google_firebaserules_release": Judgement(
            removed=_RULES_CHANGE,
            changed={"ruleset_name": _RULES_CHANGE},
            harmless=_of("create_time deletion_policy disabled update_time"),
        ),
        # Its text comes from the spec; what it does is the release's.
        "google_firebaserules_ruleset": Judgement(harmless=_of("create_time deletion_policy metadata name source")),
        "google_billing_budget": Judgement(
            harmless=_of(
                "all_updates_rule amount billing_account budget_filter deletion_policy display_name name"
                " ownership_scope threshold_rules"
            )
        ),
        "google_logging_metric": Judgement(
            removed=says("log metric {name} goes: what it has counted cannot be counted again"),
            harmless=_of(
                "bucket_name bucket_options deletion_policy description filter label_extractors metric_descriptor name"
                " value_extractor"
            ),
        ),
        "google_monitoring_alert_policy": Judgement(
            harmless=_of(
                "alert_strategy combiner conditions creation_record deletion_policy display_name documentation enabled"
                " name notification_channels severity user_labels"
            )
        ),
        "google_monitoring_dashboard": Judgement(harmless=_of("dashboard_json deletion_policy")),
        "google_monitoring_notification_channel": Judgement(
            harmless=_of(
                "deletion_policy description display_name enabled force_delete labels name sensitive_labels type"
                " user_labels verification_status"
            )
        ),
        "terraform_data": Judgement(harmless=_of("input output triggers_replace")),
    }
)
