locals {
  _ledger = var.ledger ? toset(["_firelift", "firelift_deadletters", "firelift_entities", "firelift_journal", "firelift_runs"]) : toset([])

  # `indexes`: null leaves the field's single-field indexes alone, an empty list switches them off.
  _ttls = merge(
    # Its own indexes are those that `*` has, which are none.
    { for name in local._ledger : name => { collection = name, path = "expireAt", indexes = null } },
    {
      for key, field in local._firebase_fields : key => {
        collection = field.collection
        path       = field.path
        indexes    = field.indexes
      } if field.ttl
    },
    {
      for key, ttl in var.ttls : key => {
        collection = ttl.collection
        path       = ttl.path
        # An ENTERPRISE database has no single-field indexes of its own to switch off.
        indexes = ttl.keep_indexed || var.database.edition == "ENTERPRISE" ? null : []
      }
    },
  )
  _overrides = merge(
    { for name in local._ledger : name => { collection = name, path = "*", indexes = [] } if var.database.edition != "ENTERPRISE" },
    {
      for key, field in local._firebase_fields : key => {
        collection = field.collection
        path       = field.path
        indexes    = field.indexes
      } if !field.ttl && field.indexes != null
    },
    {
      for key, field in var.fields : key => {
        collection = field.collection
        path       = field.path
        indexes    = field.indexed ? field.indexes : []
      }
    },
  )
  _field_owners = concat(
    [for key, field in local._ttls : "${field.collection}/${field.path}"],
    [for key, field in local._overrides : "${field.collection}/${field.path}"],
  )
}

resource "google_firestore_field" "ttl" {
  for_each   = local._ttls
  project    = var.project_id
  database   = google_firestore_database.this.name
  collection = each.value.collection
  field      = each.value.path
  skip_wait  = var.skip_wait

  ttl_config {}

  dynamic "index_config" {
    for_each = each.value.indexes == null ? [] : [each.value.indexes]
    content {
      dynamic "indexes" {
        for_each = index_config.value
        content {
          order        = indexes.value.order
          array_config = indexes.value.array_config
          query_scope  = indexes.value.scope
        }
      }
    }
  }

  timeouts {
    create = "24h"
    update = "24h"
  }

  lifecycle {
    precondition {
      condition     = length([for owner in local._field_owners : true if owner == "${each.value.collection}/${each.value.path}"]) == 1
      error_message = "The field ${each.value.path} of ${each.value.collection} is declared twice, here and in firestore.indexes.json or `fields`: two owners of one field undo each other. Keep one of them."
    }
  }
}

resource "google_firestore_field" "override" {
  for_each   = local._overrides
  project    = var.project_id
  database   = google_firestore_database.this.name
  collection = each.value.collection
  field      = each.value.path
  skip_wait  = var.skip_wait

  index_config {
    dynamic "indexes" {
      for_each = each.value.indexes
      content {
        order        = indexes.value.order
        array_config = indexes.value.array_config
        query_scope  = indexes.value.scope
      }
    }
  }

  timeouts {
    create = "24h"
    update = "24h"
  }

  lifecycle {
    precondition {
      condition     = length([for owner in local._field_owners : true if owner == "${each.value.collection}/${each.value.path}"]) == 1
      error_message = "The field ${each.value.path} of ${each.value.collection} is declared twice, here and in firestore.indexes.json or `ttls`: two owners of one field undo each other. Keep one of them."
    }
  }
}
