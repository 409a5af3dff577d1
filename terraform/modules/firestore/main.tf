resource "google_firestore_database" "this" {
  project          = var.project_id
  name             = var.database.name
  location_id      = var.database.location
  type             = var.database.type
  database_edition = var.database.edition

  point_in_time_recovery_enablement = var.database.point_in_time_recovery ? "POINT_IN_TIME_RECOVERY_ENABLED" : "POINT_IN_TIME_RECOVERY_DISABLED"
  delete_protection_state           = var.database.delete_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.database.deletion_policy

  dynamic "cmek_config" {
    for_each = var.database.kms_key == null ? [] : [var.database.kms_key]
    content {
      kms_key_name = cmek_config.value
    }
  }
}
