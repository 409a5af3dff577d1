variable "project_id" {
  description = "The project that the database is in."
  type        = string
  nullable    = false
}

variable "database" {
  description = <<-EOT
    The database. `name` has no default: a database that is forgotten to be named would be `(default)`.
    `deletion_policy` is said to Google's provider in so many words, because its own default, `ABANDON`, forgets the
    database on destroy and goes on billing for it. Delete protection is taken off in an apply of its own, before the
    one that deletes.
  EOT
  type = object({
    name                   = string
    location               = string
    edition                = optional(string, "STANDARD")
    type                   = optional(string, "FIRESTORE_NATIVE")
    point_in_time_recovery = optional(bool, true)
    delete_protection      = optional(bool, true)
    deletion_policy        = optional(string, "DELETE")
    kms_key                = optional(string)
    backups = optional(object({
      daily = optional(object({
        retention_days = number
      }))
      weekly = optional(object({
        day            = string
        retention_days = number
      }))
    }), {})
  })
  nullable = false

  validation {
    condition     = var.database.name == "(default)" || can(regex("^[a-z][a-z0-9-]{2,61}[a-z0-9]$", var.database.name))
    error_message = "The database's name is \"(default)\", or 4 to 63 lower-case letters, digits and hyphens that begin with a letter and do not end with a hyphen."
  }
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*[a-z0-9]$", var.database.location))
    error_message = "The location is a region or a multi-region, such as \"europe-west1\" or \"nam5\"; it can never be changed."
  }
  validation {
    condition     = contains(["STANDARD", "ENTERPRISE"], var.database.edition)
    error_message = "The edition is STANDARD or ENTERPRISE; it can never be changed."
  }
  validation {
    condition     = contains(["FIRESTORE_NATIVE", "DATASTORE_MODE"], var.database.type)
    error_message = "The type is FIRESTORE_NATIVE or DATASTORE_MODE."
  }
  validation {
    condition     = contains(["DELETE", "ABANDON"], var.database.deletion_policy)
    error_message = "The deletion policy is DELETE, or ABANDON: then a destroy leaves the database behind, with its data and its bill, and nobody looks after it."
  }
  validation {
    condition = alltrue([
      for schedule in [var.database.backups.daily, var.database.backups.weekly] :
      schedule == null ? true : schedule.retention_days >= 1 && schedule.retention_days <= 98 && floor(schedule.retention_days) == schedule.retention_days
    ])
    error_message = "Firestore keeps a backup for 1 to 98 whole days; give `retention_days` in that range."
  }
  validation {
    condition = try(var.database.backups.weekly, null) == null ? true : contains(
      ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"], var.database.backups.weekly.day
    )
    error_message = "The day of a weekly backup is MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY or SUNDAY."
  }
}
