variable "chart" {
  description = "Firelift's chart: a folder, such as `charts/firelift` of a checkout, an `oci://` address, or its name in `repository`."
  type        = string
  nullable    = false

  validation {
    condition     = var.chart != ""
    error_message = "A chart is a folder, an `oci://` address, or a name in `repository`."
  }
}

variable "repository" {
  description = "The address of the chart's repository; null for a folder or an `oci://` address."
  type        = string
  default     = null

  validation {
    condition     = var.repository == null || !startswith(var.chart, "oci://")
    error_message = "A chart with an `oci://` address has no `repository`: its address says where it is."
  }
}

variable "chart_version" {
  description = "The chart's version; null for a folder."
  type        = string
  default     = null
}

variable "chart_values" {
  description = "Values of the chart, as in `charts/firelift/values.yaml`. They win over what the accounts below come to."
  type        = any
  default     = {}
  nullable    = false

  validation {
    condition     = can(keys(var.chart_values))
    error_message = "Values of the chart are a map, such as `{ replicas = 2 }`."
  }
}

variable "namespace" {
  description = "The operator's own namespace; it is made when it is not there."
  type        = string
  default     = "firelift-system"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "A namespace has lower-case letters, digits and dashes, at most 63 of them."
  }
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
    condition     = !contains(keys(var.worker_accounts), var.namespace)
    error_message = "Rollouts and their workers are in namespaces of their own; `namespace` is the operator's."
  }
}

variable "timeout_seconds" {
  description = "How long Helm waits until everything is ready, before it takes a failed installation back."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 1
    error_message = "At least 1 s; an installation takes some minutes at most."
  }
}
