resource "google_billing_budget" "this" {
  for_each        = var.budgets
  billing_account = coalesce(each.value.billing_account, try(var.create.billing_account, null))
  display_name    = substr("${var.project_id} ${each.key}", 0, 60) # the most that the console takes

  budget_filter {
    projects = ["projects/${local._number}"]
  }

  amount {
    specified_amount {
      currency_code = each.value.currency
      units         = tostring(each.value.amount)
    }
  }

  dynamic "threshold_rules" {
    for_each = sort(formatlist("%4s", tolist(each.value.thresholds)))
    content {
      threshold_percent = tonumber(format("%.2f", tonumber(trimsuffix(trimspace(threshold_rules.value), "%")) / 100))
    }
  }

  dynamic "all_updates_rule" {
    for_each = length(each.value.channels) > 0 ? [each.value.channels] : []
    content {
      monitoring_notification_channels = [for channel in all_updates_rule.value : var.channels[channel]]
    }
  }

  depends_on = [google_project_service.this]
}
