mock_provider "google" {}

variables {
  project_id = "shop-prod"
  database   = { name = "orders", location = "nam5" }
  firebase = {
    indexes = [
      { collectionGroup = "orders", queryScope = "COLLECTION", density = "SPARSE_ALL", fields = [{ fieldPath = "state", order = "ASCENDING" }, { fieldPath = "at", order = "DESCENDING" }, { fieldPath = "__name__", order = "DESCENDING" }] },
      { collectionGroup = "items", queryScope = "COLLECTION_GROUP", fields = [{ fieldPath = "tags", arrayConfig = "CONTAINS" }, { fieldPath = "at", order = "ASCENDING" }] },
      { collectionGroup = "items", queryScope = "COLLECTION", fields = [{ fieldPath = "embedding", vectorConfig = { dimension = 768, flat = {} } }] },
    ]
    fieldOverrides = [
      { collectionGroup = "orders", fieldPath = "expireAt", ttl = true, indexes = [] },
      { collectionGroup = "sessions", fieldPath = "expireAt", ttl = true, indexes = [{ order = "ASCENDING", queryScope = "COLLECTION" }] },
      { collectionGroup = "items", fieldPath = "body", ttl = false, indexes = [] },
    ]
  }
}

run "the_file_of_the_firebase_cli_is_understood" {
  command = plan

  assert {
    condition = toset(keys(google_firestore_index.composite)) == toset([
      "orders(state ASCENDING,at DESCENDING)",
      "items:COLLECTION_GROUP(tags CONTAINS,at ASCENDING)",
      "items(embedding VECTOR)",
    ])
    error_message = "An index's address is made of its content."
  }
  assert {
    condition     = google_firestore_index.composite["items:COLLECTION_GROUP(tags CONTAINS,at ASCENDING)"].query_scope == "COLLECTION_GROUP"
    error_message = "The scope of the file is kept."
  }
  assert {
    condition     = length(google_firestore_index.composite["orders(state ASCENDING,at DESCENDING)"].fields) == 2
    error_message = "The document's name is implied."
  }
  assert {
    condition     = google_firestore_index.composite["items(embedding VECTOR)"].fields[1].vector_config[0].dimension == 768
    error_message = "Vectors are understood."
  }
  assert {
    condition     = length(google_firestore_field.ttl["orders.expireAt"].index_config[0].indexes) == 0 && length(google_firestore_field.ttl["sessions.expireAt"].index_config[0].indexes) == 1
    error_message = "A TTL keeps the indexes that the file gives it."
  }
  assert {
    condition     = length(google_firestore_field.override["items.body"].index_config[0].indexes) == 0
    error_message = "A field without indexes has none."
  }
}

run "a_removed_entry_is_the_only_one_that_goes" {
  command = plan
  variables {
    firebase = { indexes = [{ collectionGroup = "items", queryScope = "COLLECTION_GROUP", fields = [{ fieldPath = "tags", arrayConfig = "CONTAINS" }, { fieldPath = "at", order = "ASCENDING" }] }] }
  }

  assert {
    condition     = keys(google_firestore_index.composite) == ["items:COLLECTION_GROUP(tags CONTAINS,at ASCENDING)"]
    error_message = "Addresses do not depend on the place in the file."
  }
}

run "an_override_that_says_nothing_of_indexes_leaves_them" {
  command = plan
  variables { firebase = { fieldOverrides = [{ collectionGroup = "a", fieldPath = "at", ttl = true }, { collectionGroup = "b", fieldPath = "at" }] } }

  assert {
    condition     = length(google_firestore_field.ttl["a.at"].index_config) == 0
    error_message = "Left out is not the same as empty."
  }
  assert {
    condition     = length(google_firestore_field.override) == 0
    error_message = "An override that says nothing is none."
  }
}

run "an_index_of_the_file_and_of_the_declaration_is_refused" {
  command = plan
  variables {
    composite = { mine = { collection = "orders", fields = [{ path = "state", order = "ASCENDING" }, { path = "at", order = "DESCENDING" }] } }
  }
  expect_failures = [google_firestore_index.composite]
}

run "a_ttl_of_the_file_and_of_the_declaration_is_refused" {
  command = plan
  variables { ttls = { mine = { collection = "orders", path = "expireAt" } } }
  expect_failures = [google_firestore_field.ttl]
}

run "another_file_is_refused" {
  command = plan
  variables { firebase = { firestore = { rules = "firestore.rules" } } }
  expect_failures = [var.firebase]
}
