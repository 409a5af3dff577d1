variable "project" {
  description = <<-EOT
    The project: made here with `create`, else it exists and is only read. `services` are enabled and never disabled again;
    `labels` are of a project that is made here; `budgets` tell keys of `observability.channels`.
  EOT
  type = object({
    id = string
    create = optional(object({
      name            = string
      organization    = optional(string)
      folder          = optional(string)
      billing_account = optional(string)
      deletion_policy = optional(string)
    }))
    services = optional(set(string))
    labels   = optional(map(string))
    budgets = optional(map(object({
      amount          = number
      currency        = optional(string)
      thresholds      = optional(set(string))
      channels        = optional(set(string))
      billing_account = optional(string)
    })))
  })
  nullable = false
}

variable "database" {
  description = "The database; see the module `firestore`. One that exists already is imported by an `import` block of the root that calls this module."
  type = object({
    name                   = string
    location               = string
    edition                = optional(string)
    point_in_time_recovery = optional(bool)
    delete_protection      = optional(bool)
    deletion_policy        = optional(string)
    kms_key                = optional(string)
    backups = optional(object({
      daily = optional(object({
        retention_days = number
      }))
      weekly = optional(object({
        day            = string
        retention_days = number
      }))
    }))
  })
  nullable = false
}

variable "indexes" {
  description = <<-EOT
    Composite indexes and single fields, each by a name of your own, `firebase`, a decoded `firestore.indexes.json`, and
    whether `ledger`, Firelift's own documents, is looked after; see the module `firestore`.
  EOT
  type = object({
    composite = optional(map(object({
      collection = string
      scope      = optional(string)
      api_scope  = optional(string)
      density    = optional(string)
      multikey   = optional(bool)
      unique     = optional(bool)
      fields = list(object({
        path         = string
        order        = optional(string)
        array_config = optional(string)
        vector = optional(object({
          dimension = number
        }))
      }))
    })))
    fields = optional(map(object({
      collection = string
      path       = string
      indexed    = optional(bool)
      indexes = optional(list(object({
        order        = optional(string)
        array_config = optional(string)
        scope        = optional(string)
      })))
    })))
    firebase  = optional(any)
    ledger    = optional(bool)
    skip_wait = optional(bool)
  })
  default  = {}
  nullable = false
}

variable "ttls" {
  description = "Collection groups whose documents go when a time in them has passed, by a name of your own; see the module `firestore`."
  type = map(object({
    collection   = string
    path         = string
    keep_indexed = optional(bool)
  }))
  default  = {}
  nullable = false
}

variable "access" {
  description = "Service accounts by account id, and what Firelift's operator and workers need; see the module `access`. Secrets are keys of `secrets`."
  type = object({
    accounts = optional(map(object({
      display_name  = optional(string)
      roles         = optional(set(string))
      project_roles = optional(set(string))
      secrets       = optional(set(string))
      workload_identity = optional(object({
        namespace       = string
        service_account = string
        pool            = optional(string)
      }))
    })))
    operator = optional(object({
      member = optional(string)
      workload_identity = optional(object({
        namespace       = string
        service_account = string
        pool            = optional(string)
      }))
    }))
    workers = optional(object({
      member = optional(string)
      workload_identity = optional(object({
        namespace       = string
        service_account = string
        pool            = optional(string)
      }))
    }))
  })
  default  = {}
  nullable = false
}

variable "observability" {
  description = "Channels, alerts, counts of log entries and a dashboard; see the module `observability`."
  type = object({
    channels = optional(map(object({
      type           = string
      display_name   = optional(string)
      labels         = optional(map(string))
      secret_labels  = optional(set(string))
      secret_version = optional(number)
    })))
    alerts = optional(object({
      reads_per_day  = optional(object({ above = number, channels = optional(set(string)), severity = optional(string) }))
      writes_per_day = optional(object({ above = number, channels = optional(set(string)), severity = optional(string) }))
      storage_bytes  = optional(object({ above = number, channels = optional(set(string)), severity = optional(string) }))
      error_ratio    = optional(object({ above = string, window_seconds = optional(number), channels = optional(set(string)), severity = optional(string) }))
      latency_p50    = optional(object({ above = string, window_seconds = optional(number), channels = optional(set(string)), severity = optional(string) }))
      latency_p95    = optional(object({ above = string, window_seconds = optional(number), channels = optional(set(string)), severity = optional(string) }))
      availability   = optional(object({ below = string, window_seconds = optional(number), channels = optional(set(string)), severity = optional(string) }))
    }))
    log_metrics = optional(map(object({
      filter      = string
      description = optional(string)
    })))
    dashboard = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "secrets" {
  description = "Secrets by id. With a `version`, the value is written from `secret_values`; without, it is a container whose value is set by others."
  type = map(object({
    version = optional(number)
  }))
  default  = {}
  nullable = false
}

variable "rules" {
  description = "The security rules for phones and browsers: the text of `firestore.rules`. Null: they are released by others."
  type = object({
    source = string
  })
  default = null
}

variable "secret_values" {
  description = "Values of `secrets`, by id. Ephemeral: no plan and no state holds them, so that an apply of a saved plan is given them again."
  type        = map(string)
  default     = {}
  nullable    = false
  sensitive   = true
  ephemeral   = true
}

variable "channel_secrets" {
  description = "Values of the channels' `secret_labels`, by the channel's key and the label. Ephemeral, as `secret_values`."
  type        = map(map(string))
  default     = {}
  nullable    = false
  sensitive   = true
  ephemeral   = true
}
