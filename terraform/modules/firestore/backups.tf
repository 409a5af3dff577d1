# Firestore takes one change of a database's schedules at a time: the weekly one waits until the daily one is there.
resource "google_firestore_backup_schedule" "this" {
  for_each  = { for name, schedule in { daily = var.database.backups.daily } : name => schedule if schedule != null }
  project   = var.project_id
  database  = google_firestore_database.this.name
  retention = "${each.value.retention_days * 24 * 60 * 60}s"

  daily_recurrence {}
}

resource "google_firestore_backup_schedule" "weekly" {
  for_each  = { for name, schedule in { weekly = var.database.backups.weekly } : name => schedule if schedule != null }
  project   = var.project_id
  database  = google_firestore_database.this.name
  retention = "${each.value.retention_days * 24 * 60 * 60}s"

  weekly_recurrence {
    day = each.value.day
  }

  depends_on = [google_firestore_backup_schedule.this]
}

moved {
  from = google_firestore_backup_schedule.this["weekly"]
  to   = google_firestore_backup_schedule.weekly["weekly"]
}
