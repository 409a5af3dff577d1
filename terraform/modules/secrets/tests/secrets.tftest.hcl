mock_provider "google" {}

variables {
  project_id = "shop-prod"
}

run "a_value_is_written_and_a_container_stays_empty" {
  command = plan
  variables {
    secrets = { api-key = { version = 3 }, found-by-others = {} }
    values  = { api-key = "open sesame" }
  }

  assert {
    condition     = keys(google_secret_manager_secret.this) == ["api-key", "found-by-others"] && keys(google_secret_manager_secret_version.this) == ["api-key"]
    error_message = "A secret without a version is a container."
  }
  assert {
    condition     = google_secret_manager_secret_version.this["api-key"].secret_data_wo_version == 3
    error_message = "The version says that a value has changed."
  }
  assert {
    condition     = google_secret_manager_secret_version.this["api-key"].secret_data_wo == null && google_secret_manager_secret_version.this["api-key"].secret_data == null
    error_message = "No plan holds the value."
  }
  assert {
    condition     = google_secret_manager_secret_version.this["api-key"].deletion_policy == "DISABLE"
    error_message = "An earlier value is switched off, not destroyed."
  }
}

run "a_secret_stays_where_it_is_told_to" {
  command = plan
  variables { secrets = { api-key = { locations = ["europe-west1", "europe-west4"] } } }

  assert {
    condition     = length(google_secret_manager_secret.this["api-key"].replication[0].auto) == 0 && toset(google_secret_manager_secret.this["api-key"].replication[0].user_managed[0].replicas[*].location) == toset(["europe-west1", "europe-west4"])
    error_message = "Locations are those that were named."
  }
}

run "an_id_is_matched_as_a_whole" {
  command = plan
  variables { secrets = { "api key" = {} } }
  expect_failures = [var.secrets]
}

run "a_version_counts_up_from_one" {
  command = plan
  variables { secrets = { api-key = { version = 0 } } }
  expect_failures = [var.secrets]
}
