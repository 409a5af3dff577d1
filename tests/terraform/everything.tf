resource "google_project" "created" {
  project_id      = "PROJECT-made"
  name            = "Made by a test"
  folder_id       = "123456789012"
  billing_account = "000000-000000-000000"
  labels          = { team = "storage" }
  deletion_policy = "DELETE"
}

data "google_project" "read" {
  project_id = google_project.created.project_id
}

resource "google_project_service" "each" {
  for_each           = toset(["firestore.googleapis.com", "monitoring.googleapis.com"])
  service            = each.value
  disable_on_destroy = false
}

resource "google_firestore_database" "this" {
  name                              = "(default)"
  location_id                       = "nam5"
  type                              = "FIRESTORE_NATIVE"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = "DELETE"
}

resource "google_firestore_index" "composite" {
  database   = google_firestore_database.this.name
  collection = "telemetry"
  skip_wait  = true
  fields {
    field_path = "tenant"
    order      = "ASCENDING"
  }
  fields {
    field_path   = "tags"
    array_config = "CONTAINS"
  }
  fields {
    field_path = "at"
    order      = "DESCENDING"
  }
}

resource "google_firestore_index" "vector" {
  database    = google_firestore_database.this.name
  collection  = "pictures"
  query_scope = "COLLECTION_GROUP"
  skip_wait   = true
  fields {
    field_path = "__name__"
    order      = "ASCENDING"
  }
  fields {
    field_path = "embedding"
    vector_config {
      dimension = 128
      flat {}
    }
  }
}

resource "google_firestore_field" "ttl" {
  database   = google_firestore_database.this.name
  collection = "telemetry"
  field      = "expireAt"
  skip_wait  = true
  ttl_config {}
  index_config {}
}

resource "google_firestore_field" "override" {
  database   = google_firestore_database.this.name
  collection = "telemetry"
  field      = "payload"
  skip_wait  = true
  index_config {
    indexes {
      order = "ASCENDING"
    }
    indexes {
      array_config = "CONTAINS"
      query_scope  = "COLLECTION_GROUP"
    }
  }
  timeouts {
    create = "24h"
  }
}

resource "google_firestore_backup_schedule" "daily" {
  database  = google_firestore_database.this.name
  retention = "604800s"
  daily_recurrence {}
}

resource "google_firestore_backup_schedule" "weekly" {
  database  = google_firestore_database.this.name
  retention = "8467200s"
  weekly_recurrence {
    day = "SUNDAY"
  }
}

resource "google_service_account" "app" {
  account_id   = "bas-app-prod"
  display_name = "The app"
  description  = "Reads and writes telemetry"
}

resource "google_project_iam_custom_role" "worker" {
  role_id     = "firelift_worker"
  title       = "Firelift worker"
  permissions = ["datastore.entities.get", "datastore.entities.create"]
}

resource "google_project_iam_member" "database" {
  project = "PROJECT"
  role    = "roles/datastore.user"
  member  = google_service_account.app.member
  condition {
    title      = "only-default"
    expression = "resource.name == \"projects/PROJECT/databases/(default)\""
  }
}

resource "google_project_iam_member" "worker" {
  project = "PROJECT"
  role    = google_project_iam_custom_role.worker.name
  member  = google_service_account.app.member
}

resource "google_service_account_iam_member" "identity" {
  service_account_id = google_service_account.app.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:PROJECT.svc.id.goog[bas/app]"
}

resource "google_secret_manager_secret" "key" {
  secret_id = "api-key"
  labels    = { team = "storage" }
  replication {
    auto {}
  }
}

resource "google_secret_manager_secret" "spread" {
  secret_id = "spread"
  replication {
    user_managed {
      replicas {
        location = "europe-west1"
      }
      replicas {
        location = "europe-west4"
      }
    }
  }
}

resource "google_secret_manager_secret_version" "key" {
  secret                 = google_secret_manager_secret.key.id
  secret_data_wo         = "only-in-the-configuration"
  secret_data_wo_version = 1
}

resource "google_secret_manager_secret_version" "spread" {
  secret      = google_secret_manager_secret.spread.id
  secret_data = "in-the-state-too"
}

resource "google_secret_manager_secret_iam_member" "app" {
  secret_id = google_secret_manager_secret.key.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.app.member
}

resource "google_monitoring_notification_channel" "mail" {
  display_name = "on-call"
  type         = "email"
  labels       = { email_address = "oncall@example.test" }
  force_delete = true
}

resource "google_monitoring_notification_channel" "chat" {
  display_name = "chat"
  type         = "slack"
  labels       = { channel_name = "#shop" }
  user_labels  = { team = "storage" }
  sensitive_labels {
    auth_token_wo         = "a-token"
    auth_token_wo_version = "1"
  }
}

resource "google_monitoring_alert_policy" "errors" {
  display_name          = "error ratio"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = [google_monitoring_notification_channel.mail.name]
  conditions {
    display_name = "5m > 2%"
    condition_prometheus_query_language {
      query                     = "sum(rate(x[5m])) > 0.02"
      duration                  = "300s"
      disable_metric_validation = true
    }
  }
  documentation {
    content = "Look at the dashboard."
    subject = "errors"
  }
  alert_strategy {
    auto_close = "86400s"
  }
}

resource "google_monitoring_alert_policy" "reads" {
  display_name = "reads"
  combiner     = "OR"
  enabled      = false
  conditions {
    display_name = "reads"
    condition_threshold {
      filter             = "metric.type=\"firestore.googleapis.com/document/read_count\" resource.type=\"firestore_instance\""
      denominator_filter = "metric.type=\"firestore.googleapis.com/api/request_count\" resource.type=\"firestore_instance\""
      comparison         = "COMPARISON_GT"
      duration           = "0s"
      threshold_value    = 0.02
      aggregations {
        alignment_period     = "86400s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.type"]
      }
      denominator_aggregations {
        alignment_period   = "86400s"
        per_series_aligner = "ALIGN_SUM"
      }
      trigger {
        count = 1
      }
    }
  }
}

resource "google_monitoring_dashboard" "this" {
  dashboard_json = jsonencode({ displayName = "firestore", gridLayout = { widgets = [] } })
}

resource "google_logging_metric" "errors" {
  name        = "app/errors"
  description = "What the app complains about"
  filter      = "severity>=ERROR"
  label_extractors = {
    kind = "EXTRACT(jsonPayload.kind)"
  }
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    labels {
      key         = "kind"
      description = "of the error"
    }
  }
}

resource "google_billing_budget" "monthly" {
  billing_account = "000000-000000-000000"
  display_name    = "monthly"
  budget_filter {
    projects = ["projects/123456"]
    labels   = { team = "storage" }
  }
  amount {
    specified_amount {
      currency_code = "USD"
      units         = "100"
    }
  }
  threshold_rules {
    threshold_percent = 0.5
  }
  threshold_rules {
    threshold_percent = 0.9
    spend_basis       = "FORECASTED_SPEND"
  }
  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.mail.name]
  }
}

resource "google_firebaserules_ruleset" "this" {
  source {
    files {
      name    = "firestore.rules"
      content = "service cloud.firestore { match /databases/{d}/documents { match /{all=**} { allow read: if false; } } }"
    }
  }
}

resource "google_firebaserules_release" "this" {
  name         = "cloud.firestore"
  ruleset_name = google_firebaserules_ruleset.this.name
}
