locals {
  _backups = { for name, schedule in var.database.backups : name => schedule if schedule != null }
}

resource "google_firestore_backup_schedule" "this" {
  for_each  = local._backups
  project   = var.project_id
  database  = google_firestore_database.this.name
  retention = "${each.value.retention_days * 24 * 60 * 60}s"

  dynamic "daily_recurrence" {
    for_each = each.key == "daily" ? [each.value] : []
    content {}
  }
  dynamic "weekly_recurrence" {
    for_each = each.key == "weekly" ? [each.value] : []
    content {
      day = weekly_recurrence.value.day
    }
  }
}
