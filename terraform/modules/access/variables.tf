variable "project_id" {
  description = "The project of the accounts and of the database."
  type        = string
  nullable    = false
}

variable "database" {
  description = "The database's name, such as `(default)`. Roles on it are conditional on it, so that they say nothing of its neighbours."
  type        = string
  nullable    = false
}

variable "accounts" {
  description = <<-EOT
    Service accounts by their account id. `roles` are of this database alone; `project_roles` are of the whole project;
    `secrets` are keys of `secrets` whose values the account may read. Every grant is additive: what others have granted
    stays.
  EOT
  type = map(object({
    display_name  = optional(string, "")
    roles         = optional(set(string), [])
    project_roles = optional(set(string), [])
    secrets       = optional(set(string), [])
    workload_identity = optional(object({
      namespace       = string
      service_account = string
      pool            = optional(string)
    }))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for id in keys(var.accounts) : can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", id))])
    error_message = "An account's id is 6 to 30 lower-case letters, digits and hyphens that begin with a letter and do not end with a hyphen."
  }
  validation {
    condition = alltrue([
      for account in var.accounts : alltrue([for role in account.roles : can(regex("^(roles/datastore\\.|projects/[^/]+/roles/|organizations/[0-9]+/roles/)[A-Za-z0-9_.]+$", role))])
    ])
    error_message = "`roles` are conditional on the database, which only roles/datastore.* and custom roles can be: any other would grant nothing. Put it into `project_roles`."
  }
  validation {
    condition = alltrue([
      for account in var.accounts : alltrue([for role in account.project_roles : !contains(["roles/owner", "roles/editor"], role)])
    ])
    error_message = "roles/owner and roles/editor are for people who set a project up, not for programs: name the roles that the program needs."
  }
  validation {
    condition     = alltrue([for account in var.accounts : length(setsubtract(account.secrets, keys(var.secrets))) == 0])
    error_message = "The secrets of an account are keys of `secrets`: declare the secret first, or correct its name."
  }
}

variable "operator" {
  description = <<-EOT
    What Firelift's operator needs on this database: the ledger and the locks, the states of indexes, TTLs and backups, and
    the project's metrics. Either an account is made for it, or `member` names an identity that exists.
  EOT
  type = object({
    member = optional(string)
    workload_identity = optional(object({
      namespace       = string
      service_account = string
      pool            = optional(string)
    }))
  })
  default = null

  validation {
    condition     = try(var.operator.member, null) == null || try(var.operator.workload_identity, null) == null
    error_message = "`workload_identity` is of an account that is made here; an existing `member` has its own. Keep one of them."
  }
}

variable "workers" {
  description = "What Firelift's workers need on this database: documents, and nothing else. As `operator`."
  type = object({
    member = optional(string)
    workload_identity = optional(object({
      namespace       = string
      service_account = string
      pool            = optional(string)
    }))
  })
  default = null

  validation {
    condition     = try(var.workers.member, null) == null || try(var.workers.workload_identity, null) == null
    error_message = "`workload_identity` is of an account that is made here; an existing `member` has its own. Keep one of them."
  }
}

variable "secrets" {
  description = "Full names of secrets by key, as the module `secrets` gives them."
  type        = map(string)
  default     = {}
  nullable    = false
}
