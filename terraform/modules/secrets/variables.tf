variable "project_id" {
  description = "The project of the secrets."
  type        = string
  nullable    = false
}

variable "secrets" {
  description = <<-EOT
    Secrets by their id. Without a `version` a secret is a container, whose value is set by others. With one, its value is
    written from `values`; raise it to have a changed value written, because a value that is never read back cannot be
    compared.
  EOT
  type = map(object({
    version             = optional(number)
    deletion_protection = optional(bool, false)
    locations           = optional(set(string), [])
    labels              = optional(map(string), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for id in keys(var.secrets) : can(regex("^[A-Za-z0-9_-]{1,255}$", id))])
    error_message = "A secret's id is 1 to 255 letters, digits, hyphens and underscores."
  }
  validation {
    condition     = alltrue([for secret in var.secrets : secret.version == null ? true : secret.version >= 1 && floor(secret.version) == secret.version])
    error_message = "The version of a secret is a whole number of 1 or more: raise it when its value changes."
  }
}

variable "values" {
  description = "Values by the secret's id. They are written and never read: no state and no plan holds them."
  type        = map(string)
  default     = {}
  nullable    = false
  sensitive   = true
  ephemeral   = true
}
