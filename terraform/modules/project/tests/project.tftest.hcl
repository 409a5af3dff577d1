mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456" }
  }
}

variables {
  project_id = "shop-prod"
}

run "an_existing_project_is_only_read" {
  command = plan
  variables { services = ["firestore.googleapis.com", "monitoring.googleapis.com"] }

  assert {
    condition     = length(google_project.this) == 0 && length(data.google_project.existing) == 0
    error_message = "Nothing is asked about a project that needs no answer."
  }
  assert {
    condition     = keys(google_project_service.this) == ["firestore.googleapis.com", "monitoring.googleapis.com"]
    error_message = "Services are kept by their names."
  }
  assert {
    condition     = alltrue([for service in google_project_service.this : !service.disable_on_destroy])
    error_message = "A service that others use too is never switched off."
  }
  assert {
    condition     = output.project_id == "shop-prod"
    error_message = "The id is known before anything is made."
  }
}

run "a_project_is_made_in_its_folder_and_not_deleted" {
  command = plan
  variables {
    create = { name = "Shop", organization = "", folder = "123456789012", billing_account = "000000-000000-000000" }
    labels = { team = "shop" }
  }

  assert {
    condition     = google_project.this[0].folder_id == "123456789012" && google_project.this[0].org_id == null
    error_message = "An empty organization is none."
  }
  assert {
    condition     = google_project.this[0].deletion_policy == "PREVENT" && google_project.this[0].labels.team == "shop"
    error_message = "A project is not deleted before that was applied."
  }
}

run "a_budget_is_of_the_projects_number" {
  command = plan
  variables {
    budgets  = { monthly = { amount = 100, thresholds = ["100%", "50%", "5%"], channels = ["on-call"], billing_account = "000000-000000-000000" } }
    channels = { on-call = "projects/shop-prod/notificationChannels/1" }
  }

  assert {
    condition     = google_billing_budget.this["monthly"].budget_filter[0].projects == toset(["projects/123456"])
    error_message = "With the project's id, every plan would show a change."
  }
  assert {
    condition     = google_billing_budget.this["monthly"].threshold_rules[*].threshold_percent == tolist([0.05, 0.5, 1])
    error_message = "Thresholds are shares, in the order of their size."
  }
  assert {
    condition     = google_billing_budget.this["monthly"].amount[0].specified_amount[0].units == "100" && google_billing_budget.this["monthly"].amount[0].specified_amount[0].currency_code == "USD"
    error_message = "The amount is in whole units."
  }
  assert {
    condition     = google_billing_budget.this["monthly"].all_updates_rule[0].monitoring_notification_channels == tolist(["projects/shop-prod/notificationChannels/1"])
    error_message = "Channels are told by their full names."
  }
}

run "a_budget_without_a_billing_account_is_refused" {
  command = plan
  variables { budgets = { monthly = { amount = 100 } } }
  expect_failures = [var.budgets]
}

run "a_budget_of_an_unknown_channel_is_refused" {
  command = plan
  variables { budgets = { monthly = { amount = 100, channels = ["nobody"], billing_account = "000000-000000-000000" } } }
  expect_failures = [var.budgets]
}

run "a_threshold_without_a_percent_sign_is_refused" {
  command = plan
  variables { budgets = { monthly = { amount = 100, thresholds = ["0.9"], billing_account = "000000-000000-000000" } } }
  expect_failures = [var.budgets]
}

run "two_parents_are_refused" {
  command = plan
  variables { create = { name = "Shop", organization = "1", folder = "2" } }
  expect_failures = [var.create]
}

run "labels_of_an_existing_project_are_its_owners" {
  command = plan
  variables { labels = { team = "shop" } }
  expect_failures = [var.labels]
}

run "a_service_is_named_by_its_api" {
  command = plan
  variables { services = ["firestore"] }
  expect_failures = [var.services]
}
