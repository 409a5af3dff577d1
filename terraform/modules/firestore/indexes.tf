locals {
  _declared_indexes = merge(local._firebase_indexes, var.composite)

  # Firestore appends `__name__` by itself. Before a vector it has to be written, or every plan would want to replace the
  # index; behind the others it must not be, unless it forces a direction.
  _index_fields = {
    for key, index in local._declared_indexes : key => concat(
      [for field in index.fields : field if field.vector == null],
      anytrue([for field in index.fields : field.vector != null]) && !contains(index.fields[*].path, "__name__")
      ? [{ path = "__name__", order = "ASCENDING", array_config = null, vector = null }] : [],
      [for field in index.fields : field if field.vector != null],
    )
  }
  _indexes = {
    for key, index in local._declared_indexes : key => {
      collection = index.collection
      scope      = index.scope
      api_scope  = index.api_scope
      density    = index.density
      multikey   = index.multikey
      unique     = index.unique
      fields = [
        for place, field in local._index_fields[key] : field
        # Implied is the direction of the field before it, ASCENDING behind one that has none.
        if !(field.path == "__name__" && place > 0 && place == length(local._index_fields[key]) - 1
        && field.order == coalesce(local._index_fields[key][max(place - 1, 0)].order, "ASCENDING"))
      ]
    }
  }
  _index_content = { for key, index in local._indexes : key => jsonencode([index.collection, index.scope, index.api_scope, index.fields]) }
}

resource "google_firestore_index" "composite" {
  for_each    = local._indexes
  project     = var.project_id
  database    = google_firestore_database.this.name
  collection  = each.value.collection
  query_scope = each.value.scope
  api_scope   = each.value.api_scope
  density     = each.value.density
  multikey    = each.value.multikey
  unique      = each.value.unique
  skip_wait   = var.skip_wait

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path   = fields.value.path
      order        = fields.value.order
      array_config = fields.value.array_config

      dynamic "vector_config" {
        for_each = fields.value.vector == null ? [] : [fields.value.vector]
        content {
          dimension = vector_config.value.dimension
          flat {}
        }
      }
    }
  }

  timeouts {
    create = "24h"
  }

  lifecycle {
    create_before_destroy = true # an index cannot be changed, and its queries fail while there is none

    precondition {
      condition     = length([for content in local._index_content : true if content == local._index_content[each.key]]) == 1
      error_message = "The index \"${each.key}\" is declared twice, as ${join(" and ", [for key, content in local._index_content : "\"${key}\"" if content == local._index_content[each.key]])}: Firestore has it once and would answer 409. Keep one of them."
    }
  }
}
