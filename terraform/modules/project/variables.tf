variable "project_id" {
  description = "The project's id."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "A project's id is 6 to 30 lower-case letters, digits and hyphens that begin with a letter and do not end with a hyphen."
  }
}

variable "create" {
  description = <<-EOT
    The project is made here, in an organization or a folder (their numbers). Null: it exists, and is only read. With the
    deletion policy PREVENT, Terraform refuses to delete it; DELETE has to be applied before a destroy.
  EOT
  type = object({
    name            = string
    organization    = optional(string)
    folder          = optional(string)
    billing_account = optional(string)
    deletion_policy = optional(string, "PREVENT")
  })
  default = null

  validation {
    condition     = length([for parent in [try(var.create.organization, null), try(var.create.folder, null)] : parent if parent != null && parent != ""]) <= 1
    error_message = "A project is in an `organization` or in a `folder`, not in both: keep the folder, which is in its organization already."
  }
  validation {
    condition     = contains(["PREVENT", "DELETE", "ABANDON"], try(var.create.deletion_policy, "PREVENT"))
    error_message = "The deletion policy is PREVENT, DELETE or ABANDON."
  }
}

variable "services" {
  description = "APIs to enable. They are never disabled again: other programs in the project may use them too."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for service in var.services : can(regex("^[a-z0-9]+(\\.[a-z0-9-]+)*\\.googleapis\\.com$", service))])
    error_message = "A service is named by its API, such as \"firestore.googleapis.com\"."
  }
}

variable "labels" {
  description = "Labels of a project that is made here."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.labels) == 0 || var.create != null
    error_message = "Labels are set on a project that is made here: give `create`, or leave the labels of an existing project to its owner."
  }
}

variable "budgets" {
  description = <<-EOT
    Amounts a month in whole units of the billing account's currency, by a name of your own, and the shares of them at
    which the channels (keys of `channels`) are told. Nothing is ever switched off by a budget.
  EOT
  type = map(object({
    amount          = number
    currency        = optional(string, "USD")
    thresholds      = optional(set(string), ["50%", "90%", "100%"])
    channels        = optional(set(string), [])
    billing_account = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for budget in var.budgets : anytrue([for account in [budget.billing_account, try(var.create.billing_account, null)] : account != null && account != ""])
    ])
    error_message = "A budget watches a billing account: give its own `billing_account`, or that of `create`."
  }
  validation {
    condition     = alltrue([for budget in var.budgets : budget.amount >= 1 && floor(budget.amount) == budget.amount])
    error_message = "The amount of a budget is a whole number of 1 or more, in units of the currency."
  }
  validation {
    condition     = alltrue([for budget in var.budgets : length(budget.thresholds) > 0 && alltrue([for share in budget.thresholds : can(regex("^[1-9][0-9]{0,2}%$", share))])])
    error_message = "Thresholds are shares of the amount, such as \"90%\", and there is at least one."
  }
  validation {
    condition     = alltrue([for budget in var.budgets : length(setsubtract(budget.channels, keys(var.channels))) == 0])
    error_message = "The channels of a budget are keys of `channels`: declare the channel first, or correct its name."
  }
  validation {
    condition     = alltrue([for budget in var.budgets : length(budget.channels) <= 5])
    error_message = "A budget tells at most five channels."
  }
}

variable "channels" {
  description = "Full names of notification channels, by key, as the module `observability` gives them."
  type        = map(string)
  default     = {}
  nullable    = false
}
