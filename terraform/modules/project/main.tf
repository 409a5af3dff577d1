locals {
  _created_number = one(google_project.this[*].number)
  # Budgets are of a project's number: with its id, every plan would show a change.
  _number = var.create != null ? local._created_number : one(data.google_project.existing[*].number)
}

resource "google_project" "this" {
  count           = var.create == null ? 0 : 1
  project_id      = var.project_id
  name            = var.create.name
  org_id          = var.create.organization == "" ? null : var.create.organization
  folder_id       = var.create.folder == "" ? null : var.create.folder
  billing_account = var.create.billing_account == "" ? null : var.create.billing_account
  labels          = var.labels
  deletion_policy = var.create.deletion_policy
}

data "google_project" "existing" {
  count      = var.create == null && length(var.budgets) > 0 ? 1 : 0
  project_id = var.project_id
}

resource "google_project_service" "this" {
  for_each           = var.services
  project            = var.project_id
  service            = each.value
  disable_on_destroy = false

  depends_on = [google_project.this]
}
