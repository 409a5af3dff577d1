mock_provider "google" {}

variables {
  project_id = "shop-prod"
  database   = { name = "orders", location = "nam5" }
}

run "an_index_has_its_scope_its_order_and_its_database" {
  command = plan
  variables {
    composite = {
      by-device = {
        collection = "telemetry"
        scope      = "COLLECTION_GROUP"
        fields = [
          { path = "tenant_id", order = "ASCENDING" },
          { path = "tags", array_config = "CONTAINS" },
          { path = "timestamp_ms", order = "DESCENDING" },
        ]
      }
    }
  }

  assert {
    condition     = google_firestore_index.composite["by-device"].query_scope == "COLLECTION_GROUP"
    error_message = "An index of a collection group must not become one of a collection."
  }
  assert {
    condition     = google_firestore_index.composite["by-device"].fields[*].field_path == tolist(["tenant_id", "tags", "timestamp_ms"])
    error_message = "The fields are in the order of the declaration."
  }
  assert {
    condition     = google_firestore_index.composite["by-device"].fields[1].array_config == "CONTAINS" && google_firestore_index.composite["by-device"].fields[2].order == "DESCENDING"
    error_message = "Each field has its own kind."
  }
  assert {
    condition     = google_firestore_index.composite["by-device"].database == "orders"
    error_message = "An index is of the database that is named, and never of (default) by omission."
  }
  assert {
    condition     = google_firestore_index.composite["by-device"].skip_wait
    error_message = "An apply does not wait for the index by default, so that none is lost to a timeout."
  }
}

run "an_implied_document_name_is_left_out_and_a_forced_one_is_kept" {
  command = plan
  variables {
    composite = {
      implied   = { collection = "a", fields = [{ path = "x", order = "ASCENDING" }, { path = "y", order = "DESCENDING" }, { path = "__name__", order = "DESCENDING" }] }
      forced    = { collection = "a", fields = [{ path = "x", order = "ASCENDING" }, { path = "y", order = "DESCENDING" }, { path = "__name__", order = "ASCENDING" }] }
      array     = { collection = "a", fields = [{ path = "y", order = "DESCENDING" }, { path = "tags", array_config = "CONTAINS" }, { path = "__name__", order = "ASCENDING" }] }
      of-vector = { collection = "a", fields = [{ path = "colour", order = "DESCENDING" }, { path = "embedding", vector = { dimension = 768 } }] }
    }
  }

  assert {
    condition     = length(google_firestore_index.composite["implied"].fields) == 2
    error_message = "What Firestore appends by itself is not declared, or every plan would replace the index."
  }
  assert {
    condition     = length(google_firestore_index.composite["forced"].fields) == 3
    error_message = "A direction that Firestore would not imply stays."
  }
  assert {
    condition     = length(google_firestore_index.composite["array"].fields) == 2
    error_message = "Behind a field without a direction, ASCENDING is implied."
  }
  assert {
    condition     = google_firestore_index.composite["of-vector"].fields[*].field_path == tolist(["colour", "__name__", "embedding"])
    error_message = "A vector comes behind the document's name."
  }
  assert {
    condition     = google_firestore_index.composite["of-vector"].fields[2].vector_config[0].dimension == 768 && length(google_firestore_index.composite["of-vector"].fields[2].vector_config[0].flat) == 1
    error_message = "A vector has its dimension and a flat index."
  }
}

run "the_same_index_twice_is_refused" {
  command = plan
  variables {
    composite = {
      one = { collection = "a", fields = [{ path = "x", order = "ASCENDING" }, { path = "y", order = "ASCENDING" }] }
      two = { collection = "a", fields = [{ path = "x", order = "ASCENDING" }, { path = "y", order = "ASCENDING" }, { path = "__name__", order = "ASCENDING" }] }
    }
  }
  expect_failures = [google_firestore_index.composite]
}

run "an_index_of_one_field_is_refused" {
  command = plan
  variables { composite = { one = { collection = "a", fields = [{ path = "x", order = "ASCENDING" }] } } }
  expect_failures = [var.composite]
}

run "an_enterprise_database_declares_its_indexes_of_one_field" {
  command = plan
  variables {
    database  = { name = "orders", location = "nam5", edition = "ENTERPRISE" }
    composite = { one = { collection = "a", api_scope = "MONGODB_COMPATIBLE_API", density = "DENSE", multikey = true, fields = [{ path = "x", order = "ASCENDING" }] } }
    ttls      = { a = { collection = "a", path = "expireAt" } }
  }

  assert {
    condition     = google_firestore_index.composite["one"].api_scope == "MONGODB_COMPATIBLE_API" && google_firestore_index.composite["one"].density == "DENSE" && google_firestore_index.composite["one"].multikey
    error_message = "What an ENTERPRISE index has more is passed on."
  }
  assert {
    condition     = length(google_firestore_field.ttl["a"].index_config) == 0
    error_message = "There are no single-field indexes to switch off."
  }
}

run "a_field_of_an_index_is_of_one_kind" {
  command = plan
  variables { composite = { one = { collection = "a", fields = [{ path = "x", order = "ASCENDING", array_config = "CONTAINS" }, { path = "y" }] } } }
  expect_failures = [var.composite]
}

run "an_unknown_scope_is_refused" {
  command = plan
  variables { composite = { one = { collection = "a", scope = "GROUP", fields = [{ path = "x", order = "ASCENDING" }, { path = "y", order = "ASCENDING" }] } } }
  expect_failures = [var.composite]
}

run "an_unknown_order_is_refused" {
  command = plan
  variables { composite = { one = { collection = "a", fields = [{ path = "x", order = "ASC" }, { path = "y", order = "ASCENDING" }] } } }
  expect_failures = [var.composite]
}

run "a_vector_is_the_last_field" {
  command = plan
  variables { composite = { one = { collection = "a", fields = [{ path = "x", vector = { dimension = 3 } }, { path = "y", order = "ASCENDING" }] } } }
  expect_failures = [var.composite]
}
