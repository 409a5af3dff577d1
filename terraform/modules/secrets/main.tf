resource "google_secret_manager_secret" "this" {
  for_each            = var.secrets
  project             = var.project_id
  secret_id           = each.key
  labels              = each.value.labels
  deletion_protection = each.value.deletion_protection

  replication {
    dynamic "auto" {
      for_each = length(each.value.locations) == 0 ? [true] : []
      content {}
    }
    dynamic "user_managed" {
      for_each = length(each.value.locations) == 0 ? [] : [each.value.locations]
      content {
        dynamic "replicas" {
          for_each = user_managed.value
          content {
            location = replicas.value
          }
        }
      }
    }
  }
}

resource "google_secret_manager_secret_version" "this" {
  for_each               = { for id, secret in var.secrets : id => secret.version if secret.version != null }
  secret                 = google_secret_manager_secret.this[each.key].id
  secret_data_wo         = var.values[each.key]
  secret_data_wo_version = each.value
  # An earlier value is switched off, not destroyed: who still needs it can switch it on.
  deletion_policy = "DISABLE"

  lifecycle {
    create_before_destroy = true # a program that starts in between must find a value
  }
}
