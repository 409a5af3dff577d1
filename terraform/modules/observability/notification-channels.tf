resource "google_monitoring_notification_channel" "this" {
  for_each     = var.channels
  project      = var.project_id
  type         = each.value.type
  display_name = coalesce(each.value.display_name, each.key)
  labels       = each.value.labels
  # Without it, a channel cannot go while somebody else's alert still names it.
  force_delete = true

  dynamic "sensitive_labels" {
    for_each = length(each.value.secret_labels) == 0 ? [] : [each.value]
    content {
      auth_token_wo          = contains(sensitive_labels.value.secret_labels, "auth_token") ? var.channel_secrets[each.key]["auth_token"] : null
      auth_token_wo_version  = contains(sensitive_labels.value.secret_labels, "auth_token") ? tostring(sensitive_labels.value.secret_version) : null
      password_wo            = contains(sensitive_labels.value.secret_labels, "password") ? var.channel_secrets[each.key]["password"] : null
      password_wo_version    = contains(sensitive_labels.value.secret_labels, "password") ? tostring(sensitive_labels.value.secret_version) : null
      service_key_wo         = contains(sensitive_labels.value.secret_labels, "service_key") ? var.channel_secrets[each.key]["service_key"] : null
      service_key_wo_version = contains(sensitive_labels.value.secret_labels, "service_key") ? tostring(sensitive_labels.value.secret_version) : null
    }
  }
}
