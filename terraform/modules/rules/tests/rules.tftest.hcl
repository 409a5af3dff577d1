mock_provider "google" {}

variables {
  project_id  = "shop-prod"
  database    = "(default)"
  source_text = "rules_version = '2'; service cloud.firestore { match /databases/{database}/documents { match /{all=**} { allow read, write: if false; } } }"
}

run "the_default_database_has_the_release_without_a_name" {
  command = plan

  assert {
    condition     = google_firebaserules_release.this.name == "cloud.firestore"
    error_message = "Firestore looks for the rules of (default) here."
  }
  assert {
    condition     = google_firebaserules_ruleset.this.source[0].files[0].name == "firestore.rules"
    error_message = "The file has the name that Firebase's console expects."
  }
}

run "another_database_has_a_release_of_its_own" {
  command = plan
  variables { database = "orders" }

  assert {
    condition     = google_firebaserules_release.this.name == "cloud.firestore/orders"
    error_message = "The rules of one database must not close another."
  }
}

run "a_path_is_not_the_text" {
  command = plan
  variables { source_text = "firestore.rules" }
  expect_failures = [var.source_text]
}
