mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = { name = "projects/shop-prod/serviceAccounts/app@shop-prod.iam.gserviceaccount.com" }
  }
}

variables {
  project_id = "shop-prod"
  database   = "orders"
}

run "a_role_on_the_database_says_nothing_of_its_neighbours" {
  command = plan
  variables {
    accounts = { shop-app = { roles = ["roles/datastore.user"], project_roles = ["roles/cloudtrace.agent"] } }
  }

  assert {
    condition     = google_project_iam_member.database["shop-app roles/datastore.user"].condition[0].expression == "resource.name == \"projects/shop-prod/databases/orders\""
    error_message = "The condition names the database."
  }
  assert {
    condition     = length(google_project_iam_member.project["shop-app roles/cloudtrace.agent"].condition) == 0
    error_message = "A role of the project has no condition."
  }
  assert {
    condition     = google_project_iam_member.database["shop-app roles/datastore.user"].member == "serviceAccount:shop-app@shop-prod.iam.gserviceaccount.com"
    error_message = "A plan shows who gets a role before the account is there."
  }
  assert {
    condition     = length(google_service_account.firelift) == 0 && length(google_project_iam_custom_role.database) == 0
    error_message = "Firelift's own rights are given when they are asked for."
  }
}

run "a_ServiceAccount_of_the_cluster_acts_as_the_account" {
  command = plan
  variables {
    accounts = {
      shop-app = { workload_identity = { namespace = "shop", service_account = "app" } }
      shop-job = { workload_identity = { namespace = "shop", service_account = "job", pool = "clusters.svc.id.goog" } }
    }
  }

  assert {
    condition     = google_service_account_iam_member.workload_identity["shop-app"].member == "serviceAccount:shop-prod.svc.id.goog[shop/app]"
    error_message = "The cluster's pool is that of the project."
  }
  assert {
    condition     = google_service_account_iam_member.workload_identity["shop-job"].member == "serviceAccount:clusters.svc.id.goog[shop/job]"
    error_message = "A cluster may be in another project."
  }
}

run "an_account_reads_the_secrets_that_it_names" {
  command = plan
  variables {
    accounts = { shop-app = { secrets = ["api-key"] } }
    secrets  = { api-key = "projects/shop-prod/secrets/api-key", other = "projects/shop-prod/secrets/other" }
  }

  assert {
    condition     = keys(google_secret_manager_secret_iam_member.this) == ["shop-app api-key"] && google_secret_manager_secret_iam_member.this["shop-app api-key"].role == "roles/secretmanager.secretAccessor"
    error_message = "It reads this secret and no other."
  }
}

run "firelifts_parts_have_what_they_need_and_no_more" {
  command = plan
  variables {
    operator = { workload_identity = { namespace = "firelift-system", service_account = "firelift-operator" } }
    workers  = { member = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p.svc.id.goog/subject/ns/shop/sa/worker" }
  }

  assert {
    condition = toset(google_project_iam_custom_role.database["worker"].permissions) == toset([
      "datastore.databases.get", "datastore.databases.getMetadata", "datastore.entities.create",
      "datastore.entities.delete", "datastore.entities.get", "datastore.entities.list", "datastore.entities.update",
    ])
    error_message = "A worker reads and writes documents, and nothing else."
  }
  assert {
    condition     = alltrue([for role in google_project_iam_custom_role.database : alltrue([for permission in role.permissions : !can(regex("(indexes|databases)\\.(create|update|delete)$", permission))])])
    error_message = "Neither part changes the ground: Terraform does, with credentials of its own."
  }
  assert {
    condition     = alltrue([for grant in google_project_iam_member.firelift_database : grant.condition[0].expression == "resource.name == \"projects/shop-prod/databases/orders\""])
    error_message = "Rights on the database are conditional on it."
  }
  assert {
    condition     = keys(google_project_iam_member.firelift_project) == ["operator"]
    error_message = "A worker has no right on the project."
  }
  assert {
    condition     = keys(google_service_account.firelift) == ["operator"] && startswith(google_project_iam_member.firelift_database["worker"].member, "principal://")
    error_message = "No account is made for a member that exists."
  }
  assert {
    condition     = google_service_account.firelift["operator"].account_id != "firelift-operator" && length(google_service_account.firelift["operator"].account_id) <= 30
    error_message = "Two databases of a project have accounts of their own."
  }
}

run "a_role_that_takes_no_condition_is_refused" {
  command = plan
  variables { accounts = { shop-app = { roles = ["roles/monitoring.viewer"] } } }
  expect_failures = [var.accounts]
}

run "a_basic_role_is_refused" {
  command = plan
  variables { accounts = { shop-app = { project_roles = ["roles/owner"] } } }
  expect_failures = [var.accounts]
}

run "a_secret_that_is_not_declared_is_refused" {
  command = plan
  variables { accounts = { shop-app = { secrets = ["api-key"] } } }
  expect_failures = [var.accounts]
}

run "an_id_is_matched_as_a_whole" {
  command = plan
  variables { accounts = { "shop-app@elsewhere" = {} } }
  expect_failures = [var.accounts]
}

run "an_identity_is_made_or_given_but_not_both" {
  command = plan
  variables { operator = { member = "user:a@example.com", workload_identity = { namespace = "a", service_account = "b" } } }
  expect_failures = [var.operator]
}
