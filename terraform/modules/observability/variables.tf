variable "project_id" {
  description = "The project of the database."
  type        = string
  nullable    = false
}

variable "database" {
  description = "The database's name, such as `(default)`. Everything here is of this database and of no other."
  type        = string
  nullable    = false
}

variable "channels" {
  description = <<-EOT
    Who is told, by a name of your own. `labels` are what the type asks for; `secret_labels` names those of `auth_token`,
    `password` and `service_key` whose values are in `channel_secrets`, and `secret_version` is raised to have changed ones
    written.
  EOT
  type = map(object({
    type           = string
    display_name   = optional(string)
    labels         = optional(map(string), {})
    secret_labels  = optional(set(string), [])
    secret_version = optional(number, 1)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for channel in var.channels : length(setsubtract(channel.secret_labels, ["auth_token", "password", "service_key"])) == 0])
    error_message = "The secret labels of a channel are auth_token, password and service_key; all others are `labels`."
  }
  validation {
    condition     = alltrue([for channel in var.channels : length(setintersection(keys(channel.labels), ["auth_token", "password", "service_key"])) == 0])
    error_message = "auth_token, password and service_key belong into `secret_labels` and `channel_secrets`, where no plan and no state shows them."
  }
}

variable "channel_secrets" {
  description = "Values of the channels' secret labels, by the channel's key and the label. They are written and never read."
  type        = map(map(string))
  default     = {}
  nullable    = false
  sensitive   = true
  ephemeral   = true
}

variable "log_metrics" {
  description = "Counts of log entries, as `logging.googleapis.com/user/<key>`, for gates and alerts of your own."
  type = map(object({
    filter      = string
    description = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for metric in var.log_metrics : trimspace(metric.filter) != ""])
    error_message = "A log metric counts what its `filter` selects; an empty one would count every entry of the project."
  }
}

variable "dashboard" {
  description = "Whether there is a dashboard with all that the alerts look at."
  type        = bool
  default     = true
  nullable    = false
}
