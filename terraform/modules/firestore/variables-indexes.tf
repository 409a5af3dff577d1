variable "composite" {
  description = <<-EOT
    Composite indexes by a name of your own, which is the index's address: renaming it deletes one and creates another.
    Fields are in the index's order, each with exactly one of `order`, `array_config` and `vector`. A trailing `__name__`
    is only needed to force a direction.
  EOT
  type = map(object({
    collection = string
    scope      = optional(string, "COLLECTION")
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
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for index in var.composite : contains(["COLLECTION", "COLLECTION_GROUP", "COLLECTION_RECURSIVE"], index.scope)])
    error_message = "The `scope` of an index is COLLECTION, COLLECTION_GROUP or COLLECTION_RECURSIVE (Datastore mode)."
  }
  validation {
    condition = alltrue([
      for index in var.composite : alltrue([
        for field in index.fields : length([for kind in [field.order, field.array_config, field.vector] : true if kind != null]) == 1
      ])
    ])
    error_message = "Each field of an index has exactly one of `order` (ASCENDING, DESCENDING), `array_config` (CONTAINS) and `vector` ({ dimension = … })."
  }
  validation {
    condition = alltrue([
      for index in var.composite : alltrue([
        for field in index.fields : contains(["ASCENDING", "DESCENDING"], coalesce(field.order, "ASCENDING")) && coalesce(field.array_config, "CONTAINS") == "CONTAINS"
      ])
    ])
    error_message = "The `order` of a field is ASCENDING or DESCENDING, its `array_config` is CONTAINS."
  }
  validation {
    condition = var.database.edition == "ENTERPRISE" ? true : alltrue([
      for index in var.composite :
      length([for field in index.fields : field if field.path != "__name__"]) > 1
      || anytrue([for field in index.fields : field.vector != null])
      # one field and `__name__` in the other direction, which Firestore does not have by itself
      || length(distinct([for field in index.fields : coalesce(field.order, "ASCENDING")])) > 1
    ])
    error_message = "An index of one field is refused by Firestore, which has those by itself: name a second field, or say in `fields` which single-field indexes you want."
  }
  validation {
    condition = alltrue([
      for index in var.composite : alltrue([for i, field in index.fields : field.vector == null || i == length(index.fields) - 1])
    ])
    error_message = "The field with `vector` is the last one of its index."
  }
}

variable "fields" {
  description = <<-EOT
    Fields that are indexed otherwise than Firestore would, by a name of your own: `indexed = false` for none at all, or
    `indexes` for these and no others. A path of `*` is every field of the collection group without an override of its own.
  EOT
  type = map(object({
    collection = string
    path       = string
    indexed    = optional(bool, true)
    indexes = optional(list(object({
      order        = optional(string)
      array_config = optional(string)
      scope        = optional(string, "COLLECTION")
    })), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for field in var.fields : field.indexed == (length(field.indexes) > 0)])
    error_message = "An override has either `indexed = false`, which switches the field's indexes off, or `indexes`, which are the only ones then. An entry without both would switch them off by accident."
  }
  validation {
    condition = alltrue([
      for field in var.fields : alltrue([
        for index in field.indexes :
        (index.order == null) != (index.array_config == null)
        && contains(["ASCENDING", "DESCENDING"], coalesce(index.order, "ASCENDING"))
        && coalesce(index.array_config, "CONTAINS") == "CONTAINS"
        && contains(["COLLECTION", "COLLECTION_GROUP"], index.scope)
      ])
    ])
    error_message = "An index of one field has either `order` (ASCENDING, DESCENDING) or `array_config` (CONTAINS), and a `scope` (COLLECTION, COLLECTION_GROUP)."
  }
  validation {
    condition     = var.database.edition != "ENTERPRISE" || length(var.fields) == 0
    error_message = "An ENTERPRISE database indexes no field by itself, so that there is nothing to override: declare its indexes in `composite`."
  }
  validation {
    condition     = length(distinct([for field in var.fields : "${field.collection}/${field.path}"])) == length(var.fields)
    error_message = "A field of a collection group has one override only: of two, the one that is applied last would win."
  }
}

variable "ttls" {
  description = <<-EOT
    Collection groups whose documents go when the time in one of their fields has passed, by a name of your own. The
    field must hold timestamps; of anything else Firestore deletes nothing. Its values are a hot range, so that its
    single-field indexes are switched off unless `keep_indexed`.
  EOT
  type = map(object({
    collection   = string
    path         = string
    keep_indexed = optional(bool, false)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for ttl in var.ttls : !strcontains(ttl.path, "*")])
    error_message = "A TTL is of one field, by its path; `*` is not a field."
  }
  validation {
    condition     = length(distinct([for ttl in var.ttls : ttl.collection])) == length(var.ttls)
    error_message = "A collection group has one TTL only: Firestore takes no second one."
  }
  validation {
    condition     = length(setintersection([for ttl in var.ttls : "${ttl.collection}/${ttl.path}"], [for field in var.fields : "${field.collection}/${field.path}"])) == 0
    error_message = "A field with a TTL is declared in `ttls` alone, where `keep_indexed` says what becomes of its indexes: two owners of one field undo each other."
  }
}

variable "firebase" {
  description = <<-EOT
    A decoded `firestore.indexes.json`, the file that the Firebase CLI writes: `jsondecode(file("firestore.indexes.json"))`.
    Its entries are added to those above, under addresses that are made of their content. Do not deploy the same file with
    the Firebase CLI as well: it removes what the file does not name.
  EOT
  type        = any
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.firebase) : contains(["indexes", "fieldOverrides"], key)])
    error_message = "A decoded firestore.indexes.json has `indexes` and `fieldOverrides` and nothing else; give jsondecode(file(…))."
  }
  validation {
    condition = alltrue(concat(
      [for index in try(var.firebase.indexes, []) : can(index.collectionGroup) && can(index.fields[0].fieldPath)],
      [for override in try(var.firebase.fieldOverrides, []) : can(override.collectionGroup) && can(override.fieldPath)],
    ))
    error_message = "Each of `indexes` has a `collectionGroup` and `fields` with `fieldPath`; each of `fieldOverrides` has a `collectionGroup` and a `fieldPath`."
  }
}

variable "ledger" {
  description = <<-EOT
    Whether Firelift's own documents are looked after: no index on any of their fields, and a TTL, so that what a rollout
    has left behind goes by itself when its retention is over.
  EOT
  type        = bool
  default     = false
  nullable    = false
}

variable "skip_wait" {
  description = <<-EOT
    True: an apply ends when Firestore has taken an index or a field on, and somebody else looks until it is READY. False:
    it waits, up to a day. Google's provider forgets an index that takes longer than its timeout, and the next apply ends
    with 409 ALREADY_EXISTS.
  EOT
  type        = bool
  default     = true
  nullable    = false
}
