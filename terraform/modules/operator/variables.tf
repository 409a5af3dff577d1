variable "chart" {
  description = "Firelift's chart: a folder, such as `charts/firelift` of a checkout, an `oci://` address, or its name in `repository`."
  type        = string
  nullable    = false
}

variable "repository" {
  description = "The address of the chart's repository; null for a folder or an `oci://` address."
  type        = string
  default     = null
}

variable "chart_version" {
  description = "The chart's version; null for a folder."
  type        = string
  default     = null
}

variable "chart_values" {
  description = "Values of the chart."
  type        = any
  default     = {}
  nullable    = false
}

variable "operator_account" {
  description = <<-EOT
    The e-mail address of the Google service account that the operator acts as, as the module `access` makes it. Null: the
    cluster's own principal has been given the rights.
  EOT
  type        = string
  default     = null

  validation {
    condition     = var.operator_account == null || can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z0-9.-]+\\.iam\\.gserviceaccount\\.com$", var.operator_account))
    error_message = "An account is the e-mail address of a service account, without `serviceAccount:` before it."
  }
}

variable "worker_accounts" {
  description = <<-EOT
    The namespaces that rollouts are in, each with the e-mail address of the Google service account that its workers act as;
    an empty one where the cluster's own principal has the rights. The ServiceAccount of workers is made in each of them.
  EOT
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for account in values(var.worker_accounts) : account == "" || can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z0-9.-]+\\.iam\\.gserviceaccount\\.com$", account))
    ])
    error_message = "An account is the e-mail address of a service account, without `serviceAccount:` before it, or empty."
  }
  validation {
    condition     = !contains(keys(var.worker_accounts), "firelift-system")
    error_message = "Rollouts and their workers are in namespaces of their own; firelift-system is the operator's."
  }
}

variable "timeout_seconds" {
  description = "How long Helm waits until everything is ready, before it takes a failed installation back."
  type        = number
  default     = 300
  nullable    = false
}
