mock_provider "google" {}

variables {
  project_id = "shop-prod"
  database   = { name = "(default)", location = "nam5" }
}

run "a_database_is_protected_unless_told_otherwise" {
  command = plan

  assert {
    condition     = google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_ENABLED"
    error_message = "Delete protection is on by default."
  }
  assert {
    condition     = google_firestore_database.this.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED"
    error_message = "Point-in-time recovery is on by default."
  }
  assert {
    condition     = google_firestore_database.this.deletion_policy == "DELETE"
    error_message = "A destroy deletes; it never leaves a database behind without a word."
  }
  assert {
    condition     = length(google_firestore_backup_schedule.this) == 0 && length(google_firestore_backup_schedule.weekly) == 0 && length(google_firestore_index.composite) == 0 && length(google_firestore_field.ttl) == 0 && length(google_firestore_field.override) == 0
    error_message = "What is not declared is not made."
  }
}

run "abandoning_is_said_out_loud" {
  command = plan
  variables { database = { name = "(default)", location = "nam5", deletion_policy = "ABANDON" } }

  assert {
    condition     = google_firestore_database.this.deletion_policy == "ABANDON"
    error_message = "Who asks for ABANDON gets it."
  }
}

run "protection_that_is_switched_off_is_an_update_of_its_own" {
  command = plan
  variables { database = { name = "(default)", location = "nam5", delete_protection = false, point_in_time_recovery = false } }

  assert {
    condition     = google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_DISABLED"
    error_message = "The state is spelt out."
  }
  assert {
    condition     = google_firestore_database.this.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_DISABLED"
    error_message = "The state is spelt out."
  }
}

run "both_schedules_are_kept_for_the_days_that_are_said" {
  command = plan
  variables {
    database = {
      name     = "orders"
      location = "europe-west1"
      backups  = { daily = { retention_days = 7 }, weekly = { day = "SUNDAY", retention_days = 98 } }
    }
  }

  assert {
    condition     = google_firestore_backup_schedule.this["daily"].retention == "604800s" && google_firestore_backup_schedule.weekly["weekly"].retention == "8467200s"
    error_message = "Days are given to Firestore in seconds."
  }
  assert {
    condition     = length(google_firestore_backup_schedule.this) == 1 && length(google_firestore_backup_schedule.this["daily"].daily_recurrence) == 1 && length(google_firestore_backup_schedule.this["daily"].weekly_recurrence) == 0
    error_message = "The daily schedule has exactly one recurrence."
  }
  assert {
    condition     = google_firestore_backup_schedule.weekly["weekly"].weekly_recurrence[0].day == "SUNDAY" && length(google_firestore_backup_schedule.weekly["weekly"].daily_recurrence) == 0
    error_message = "The weekly schedule has exactly one recurrence, with its day."
  }
  assert {
    condition     = google_firestore_backup_schedule.this["daily"].database == "orders"
    error_message = "A schedule is of the database that is named, and never of (default) by omission."
  }
}

run "a_retention_past_firestores_limit_is_refused" {
  command = plan
  variables { database = { name = "(default)", location = "nam5", backups = { daily = { retention_days = 99 } } } }
  expect_failures = [var.database]
}

run "a_day_that_does_not_exist_is_refused" {
  command = plan
  variables { database = { name = "(default)", location = "nam5", backups = { weekly = { day = "Sunday", retention_days = 7 } } } }
  expect_failures = [var.database]
}

run "a_protection_that_is_spelt_otherwise_is_refused" {
  command = plan
  variables { database = { name = "(default)", location = "nam5", deletion_policy = "KEEP" } }
  expect_failures = [var.database]
}

run "a_name_is_matched_as_a_whole" {
  command = plan
  variables { database = { name = "orders/../other", location = "nam5" } }
  expect_failures = [var.database]
}

run "an_unknown_edition_is_refused" {
  command = plan
  variables { database = { name = "(default)", location = "nam5", edition = "PREMIUM" } }
  expect_failures = [var.database]
}
