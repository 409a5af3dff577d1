mock_provider "google" {}

variables {
  project_id = "shop-prod"
  database   = "orders"
  channels = {
    on-call = { type = "email", labels = { email_address = "oncall@example.com" } }
    chat    = { type = "slack", labels = { channel_name = "#ops" }, secret_labels = ["auth_token"], secret_version = 2 }
  }
  channel_secrets = { chat = { auth_token = "xoxb" } }
}

run "what_is_not_declared_does_not_ring" {
  command = plan
  variables { dashboard = false }

  assert {
    condition     = length(google_monitoring_alert_policy.this) == 0 && length(google_monitoring_dashboard.this) == 0
    error_message = "No alert without a limit."
  }
}

run "a_token_is_written_and_never_kept" {
  command = plan

  assert {
    condition     = google_monitoring_notification_channel.this["chat"].sensitive_labels[0].auth_token_wo == null && google_monitoring_notification_channel.this["chat"].sensitive_labels[0].auth_token_wo_version == "2"
    error_message = "The plan has the version, not the token."
  }
  assert {
    condition     = length(google_monitoring_notification_channel.this["on-call"].sensitive_labels) == 0
    error_message = "A channel without secrets has none."
  }
}

run "every_alert_measures_this_database_in_the_units_of_its_metric" {
  command = plan
  variables {
    alerts = {
      reads_per_day  = { above = 1000000, channels = ["on-call", "chat"] }
      writes_per_day = { above = 500000 }
      storage_bytes  = { above = 1000000000 }
      error_ratio    = { above = "2%", severity = "CRITICAL" }
      latency_p50    = { above = "300ms" }
      latency_p95    = { above = "1.5s" }
      availability   = { below = "99.5%", window_seconds = 3600 }
    }
  }

  assert {
    condition = { for name, policy in google_monitoring_alert_policy.this : name => policy.conditions[0].condition_threshold[0].threshold_value } == {
      availability = 0.005, error_ratio = 0.02, latency_p50 = 0.3, latency_p95 = 1.5, reads_per_day = 1000000, storage_bytes = 1000000000, writes_per_day = 500000,
    }
    error_message = "Shares are numbers of one, latencies are seconds."
  }
  assert {
    condition     = alltrue([for policy in google_monitoring_alert_policy.this : strcontains(policy.conditions[0].condition_threshold[0].filter, "resource.labels.database_id = \"orders\"")])
    error_message = "An alert is of this database and of no other."
  }
  assert {
    condition     = alltrue([for policy in google_monitoring_alert_policy.this : policy.conditions[0].condition_threshold[0].comparison == "COMPARISON_GT"])
    error_message = "Availability rings on the share that was not served: the share that was has no value while nothing is."
  }
  assert {
    condition     = toset([for name, policy in google_monitoring_alert_policy.this : name if policy.conditions[0].condition_threshold[0].denominator_filter != null]) == toset(["availability", "error_ratio"])
    error_message = "Shares are of all requests."
  }
  assert {
    condition     = google_monitoring_alert_policy.this["reads_per_day"].conditions[0].condition_threshold[0].aggregations[0].alignment_period == "86400s" && google_monitoring_alert_policy.this["latency_p95"].conditions[0].condition_threshold[0].aggregations[0].cross_series_reducer == "REDUCE_PERCENTILE_95"
    error_message = "A day is a day, and a percentile is of all methods together."
  }
  assert {
    condition     = google_monitoring_alert_policy.this["error_ratio"].severity == "CRITICAL" && google_monitoring_alert_policy.this["reads_per_day"].severity == "WARNING" && google_monitoring_alert_policy.this["availability"].severity == "CRITICAL"
    error_message = "Each alert has its own urgency."
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.this["error_ratio"].conditions[0].condition_threshold[0].filter, "metric.labels.response_code != \"FAILED_PRECONDITION\"")
    error_message = "A precondition that did not hold is an answer, not an error."
  }
}

run "the_dashboard_shows_this_database" {
  command = plan

  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.this[0].dashboard_json).mosaicLayout.tiles) == 8 && strcontains(google_monitoring_dashboard.this[0].dashboard_json, "database_id = \\\"orders\\\"")
    error_message = "Eight charts of this database."
  }
  assert {
    condition     = !strcontains(google_monitoring_dashboard.this[0].dashboard_json, ":0") && !strcontains(google_monitoring_dashboard.this[0].dashboard_json, "[]")
    error_message = "Cloud Monitoring leaves out what is zero or empty, and every plan would show it again."
  }
}

run "log_entries_are_counted" {
  command = plan
  variables { log_metrics = { app-errors = { filter = "severity>=ERROR" } } }

  assert {
    condition     = google_logging_metric.this["app-errors"].metric_descriptor[0].metric_kind == "DELTA" && output.log_metrics["app-errors"] == "logging.googleapis.com/user/app-errors"
    error_message = "A log metric is a count, under its own type."
  }
}

run "an_alert_of_an_unknown_channel_is_refused" {
  command = plan
  variables { alerts = { reads_per_day = { above = 1, channels = ["nobody"] } } }
  expect_failures = [var.alerts]
}

run "a_share_without_a_percent_sign_is_refused" {
  command = plan
  variables { alerts = { error_ratio = { above = "0.02" } } }
  expect_failures = [var.alerts]
}

run "an_availability_past_a_hundred_is_refused" {
  command = plan
  variables { alerts = { availability = { below = "999%" } } }
  expect_failures = [var.alerts]
}

run "a_latency_without_a_unit_is_refused" {
  command = plan
  variables { alerts = { latency_p95 = { above = "300" } } }
  expect_failures = [var.alerts]
}

run "a_window_is_of_whole_minutes" {
  command = plan
  variables { alerts = { latency_p95 = { above = "300ms", window_seconds = 90 } } }
  expect_failures = [var.alerts]
}

run "a_token_among_the_labels_is_refused" {
  command = plan
  variables { channels = { chat = { type = "slack", labels = { auth_token = "xoxb" } } } }
  expect_failures = [var.channels]
}

run "an_empty_filter_is_refused" {
  command = plan
  variables { log_metrics = { all = { filter = " " } } }
  expect_failures = [var.log_metrics]
}
