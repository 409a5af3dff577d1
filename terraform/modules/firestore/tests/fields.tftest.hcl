mock_provider "google" {}

variables {
  project_id = "shop-prod"
  database   = { name = "orders", location = "nam5" }
}

run "a_ttl_switches_its_hot_range_off_unless_it_is_kept" {
  command = plan
  variables {
    ttls = {
      telemetry = { collection = "telemetry", path = "expireAt" }
      sessions  = { collection = "sessions", path = "expireAt", keep_indexed = true }
    }
  }

  assert {
    condition     = length(google_firestore_field.ttl["telemetry"].ttl_config) == 1 && length(google_firestore_field.ttl["telemetry"].index_config) == 1 && length(google_firestore_field.ttl["telemetry"].index_config[0].indexes) == 0
    error_message = "The indexes of a TTL's field are switched off."
  }
  assert {
    condition     = length(google_firestore_field.ttl["sessions"].ttl_config) == 1 && length(google_firestore_field.ttl["sessions"].index_config) == 0
    error_message = "With keep_indexed, indexes are not touched at all: an empty index_config would switch them off."
  }
  assert {
    condition     = google_firestore_field.ttl["telemetry"].database == "orders" && google_firestore_field.ttl["telemetry"].skip_wait
    error_message = "A field is of the database that is named, and an apply does not wait for it."
  }
}

run "an_override_is_these_indexes_and_no_others" {
  command = plan
  variables {
    fields = {
      payload = { collection = "telemetry", path = "payload", indexed = false }
      tags    = { collection = "telemetry", path = "tags", indexes = [{ array_config = "CONTAINS", scope = "COLLECTION_GROUP" }, { order = "ASCENDING" }] }
    }
  }

  assert {
    condition     = length(google_firestore_field.override["payload"].index_config[0].indexes) == 0
    error_message = "indexed = false switches the indexes off."
  }
  assert {
    condition = toset([for index in google_firestore_field.override["tags"].index_config[0].indexes : join("/", [coalesce(index.order, index.array_config), index.query_scope])]) == toset([
      "CONTAINS/COLLECTION_GROUP", "ASCENDING/COLLECTION",
    ])
    error_message = "Each index has its kind and its scope."
  }
  assert {
    condition     = length(google_firestore_field.override["payload"].ttl_config) == 0
    error_message = "An override is no TTL."
  }
}

run "an_empty_override_is_refused" {
  command = plan
  variables { fields = { payload = { collection = "telemetry", path = "payload" } } }
  expect_failures = [var.fields]
}

run "an_override_without_indexes_has_none" {
  command = plan
  variables { fields = { payload = { collection = "telemetry", path = "payload", indexed = false, indexes = [{ order = "ASCENDING" }] } } }
  expect_failures = [var.fields]
}

run "two_overrides_of_one_field_are_refused" {
  command = plan
  variables {
    fields = {
      one = { collection = "telemetry", path = "payload", indexed = false }
      two = { collection = "telemetry", path = "payload", indexes = [{ order = "ASCENDING" }] }
    }
  }
  expect_failures = [var.fields]
}

run "an_enterprise_database_has_nothing_to_override" {
  command = plan
  variables {
    database = { name = "orders", location = "nam5", edition = "ENTERPRISE" }
    fields   = { payload = { collection = "telemetry", path = "payload", indexed = false } }
  }
  expect_failures = [var.fields]
}

run "a_collection_has_one_ttl" {
  command = plan
  variables { ttls = { one = { collection = "telemetry", path = "expireAt" }, two = { collection = "telemetry", path = "goneAt" } } }
  expect_failures = [var.ttls]
}

run "a_field_has_one_owner" {
  command = plan
  variables {
    ttls   = { telemetry = { collection = "telemetry", path = "expireAt" } }
    fields = { telemetry = { collection = "telemetry", path = "expireAt", indexed = false } }
  }
  expect_failures = [var.ttls]
}

run "firelifts_own_documents_are_not_indexed_and_go_by_themselves" {
  command = plan
  variables { ledger = true }

  assert {
    condition     = keys(google_firestore_field.ttl) == ["_firelift", "firelift_deadletters", "firelift_entities", "firelift_journal", "firelift_runs"]
    error_message = "Each collection of the ledger has its TTL."
  }
  assert {
    condition     = alltrue([for field in google_firestore_field.ttl : field.field == "expireAt" && length(field.index_config) == 0])
    error_message = "The TTL says nothing of indexes."
  }
  assert {
    condition     = keys(google_firestore_field.override) == keys(google_firestore_field.ttl) && alltrue([for field in google_firestore_field.override : field.field == "*" && length(field.index_config[0].indexes) == 0])
    error_message = "No field of the ledger is indexed."
  }
}
