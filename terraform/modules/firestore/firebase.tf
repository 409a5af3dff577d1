# Keys are made of the content: a place in the file would make every index after a removed one another index.
locals {
  _firebase_indexes = {
    for index in [
      for entry in try(var.firebase.indexes, []) : {
        collection = entry.collectionGroup
        scope      = try(entry.queryScope, "COLLECTION")
        api_scope  = try(entry.apiScope, null)
        density    = try(entry.density, null)
        multikey   = try(entry.multikey, null)
        unique     = try(entry.unique, null)
        fields = [
          for field in entry.fields : {
            path         = field.fieldPath
            order        = try(field.order, null)
            array_config = try(field.arrayConfig, null)
            vector       = try({ dimension = tonumber(field.vectorConfig.dimension) }, null)
          }
        ]
      }
      ] : format(
      "%s%s(%s)",
      index.collection,
      index.scope == "COLLECTION" ? "" : ":${index.scope}",
      join(",", [
        for place, field in index.fields : "${field.path} ${coalesce(field.order, field.array_config, "VECTOR")}"
        # Some exports write the direction that is implied, others do not: it must not make another key.
        if !(field.path == "__name__" && place > 0 && place == length(index.fields) - 1
        && field.order == coalesce(index.fields[max(place - 1, 0)].order, "ASCENDING"))
      ]),
    ) => index
  }

  _firebase_fields = {
    for override in try(var.firebase.fieldOverrides, []) : "${override.collectionGroup}.${override.fieldPath}" => {
      collection = override.collectionGroup
      path       = override.fieldPath
      ttl        = try(override.ttl, false)
      # Left out, the field keeps the indexes that it has; an empty list switches them off.
      indexes = !can(override.indexes) ? null : [
        for index in override.indexes : {
          order        = try(index.order, null)
          array_config = try(index.arrayConfig, null)
          scope        = try(index.queryScope, "COLLECTION")
        }
      ]
    }
  }
}
