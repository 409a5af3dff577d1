locals {
  _day = 24 * 60 * 60

  # What each alert measures; `ratio` divides by all requests.
  _measures = {
    reads_per_day  = { name = "reads in a day", filter = local._filters.reads, aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", ratio = false }
    writes_per_day = { name = "writes in a day", filter = local._filters.writes, aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", ratio = false }
    storage_bytes  = { name = "bytes stored", filter = local._filters.storage, aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", ratio = false }
    error_ratio    = { name = "share of requests that failed", filter = local._failed_filter, aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", ratio = true }
    latency_p50    = { name = "median latency", filter = local._filters.latency, aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_50", ratio = false }
    latency_p95    = { name = "latency at the 95th percentile", filter = local._filters.latency, aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_95", ratio = false }
    # The share that was served has no value while nothing is served at all; the share that was not has one.
    availability = { name = "share of requests that were not served", filter = local._unserved_filter, aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", ratio = true }
  }

  _thresholds = {
    reads_per_day  = try(var.alerts.reads_per_day.above, null)
    writes_per_day = try(var.alerts.writes_per_day.above, null)
    storage_bytes  = try(var.alerts.storage_bytes.above, null)
    error_ratio    = try(tonumber(trimsuffix(var.alerts.error_ratio.above, "%")) / 100, null)
    latency_p50    = try(tonumber(regex("^[0-9.]+", var.alerts.latency_p50.above)) / (endswith(var.alerts.latency_p50.above, "ms") ? 1000 : 1), null)
    latency_p95    = try(tonumber(regex("^[0-9.]+", var.alerts.latency_p95.above)) / (endswith(var.alerts.latency_p95.above, "ms") ? 1000 : 1), null)
    availability   = try((100 - tonumber(trimsuffix(var.alerts.availability.below, "%"))) / 100, null)
  }

  _alerts = {
    for name, alert in var.alerts : name => merge(local._measures[name], {
      limit    = try(alert.above, alert.below)
      side     = can(alert.above) ? "above" : "below"
      channels = alert.channels
      severity = alert.severity
      window   = try(alert.window_seconds, local._day)
      # Of as many digits as a plan can show, so that the same limit is the same number everywhere.
      threshold = tonumber(format("%.9f", local._thresholds[name]))
    }) if alert != null
  }
}

resource "google_monitoring_alert_policy" "this" {
  for_each              = local._alerts
  project               = var.project_id
  display_name          = "Firestore ${var.database}: ${replace(each.key, "_", " ")} ${each.value.side} ${each.value.limit}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = [for channel in each.value.channels : google_monitoring_notification_channel.this[channel].name]

  conditions {
    display_name = each.value.name

    condition_threshold {
      filter             = each.value.filter
      denominator_filter = each.value.ratio ? local._filters.requests : null
      comparison         = "COMPARISON_GT"
      threshold_value    = each.value.threshold
      duration           = "0s"

      aggregations {
        alignment_period     = "${each.value.window}s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
      }
      dynamic "denominator_aggregations" {
        for_each = each.value.ratio ? [each.value.window] : []
        content {
          alignment_period     = "${denominator_aggregations.value}s"
          per_series_aligner   = "ALIGN_DELTA"
          cross_series_reducer = "REDUCE_SUM"
        }
      }
    }
  }

  alert_strategy {
    auto_close = "${local._day}s"
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "Firestore ${var.database} in ${var.project_id}: ${replace(each.key, "_", " ")}"
    content   = "The ${each.value.name} of `${var.database}` in `${var.project_id}` is past its limit: ${replace(each.key, "_", " ")} ${each.value.side} ${each.value.limit}, over ${each.value.window} s. A rollout of Firelift that writes here is seen with `kubectl get migrationrollouts -A`; `kubectl patch` with `spec.suspend: true` holds it."
  }
}
