locals {
  _parts = { for name, part in { operator = var.operator, worker = var.workers } : name => part if part != null }
  # Two databases of one project have accounts and roles of their own.
  _suffix     = var.database == "(default)" ? "" : substr(sha256(var.database), 0, 6)
  _made       = { for name, part in local._parts : name => part if part.member == null }
  _account_id = { for name in keys(local._parts) : name => join("-", compact(["firelift", name, local._suffix])) }
  _member = {
    for name, part in local._parts : name => coalesce(part.member, "serviceAccount:${local._account_id[name]}@${local._domain}")
  }

  _documents = [
    "datastore.databases.get",
    "datastore.databases.getMetadata",
    "datastore.entities.create",
    "datastore.entities.delete",
    "datastore.entities.get",
    "datastore.entities.list",
    "datastore.entities.update",
  ]
  # Of the database: bound under the condition that it is this one.
  _database_permissions = {
    operator = concat(local._documents, [
      "datastore.backupSchedules.get",
      "datastore.backupSchedules.list",
      "datastore.databases.export",
      "datastore.databases.import",
      "datastore.indexes.get",
      "datastore.indexes.list",
      "datastore.operations.cancel",
      "datastore.operations.get",
      "datastore.operations.list",
    ])
    worker = local._documents
  }
  # Of the project or of a location, where no condition on a database can be met.
  _project_permissions = {
    operator = ["datastore.backups.get", "datastore.backups.list", "monitoring.timeSeries.list"]
  }
}

resource "google_service_account" "firelift" {
  for_each     = local._made
  project      = var.project_id
  account_id   = local._account_id[each.key]
  display_name = "Firelift ${each.key}, ${var.database}"
}

resource "google_service_account_iam_member" "firelift" {
  for_each           = { for name, part in local._made : name => part.workload_identity if part.workload_identity != null }
  service_account_id = google_service_account.firelift[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${coalesce(each.value.pool, local._pool)}[${each.value.namespace}/${each.value.service_account}]"
}

resource "google_project_iam_custom_role" "database" {
  for_each    = { for name, permissions in local._database_permissions : name => permissions if contains(keys(local._parts), name) }
  project     = var.project_id
  role_id     = join("_", compact(["firelift", each.key, local._suffix]))
  title       = "Firelift ${each.key}, ${var.database}"
  permissions = each.value
}

resource "google_project_iam_custom_role" "project" {
  for_each    = { for name, permissions in local._project_permissions : name => permissions if contains(keys(local._parts), name) }
  project     = var.project_id
  role_id     = join("_", compact(["firelift", each.key, "project", local._suffix]))
  title       = "Firelift ${each.key}, around ${var.database}"
  permissions = each.value
}

resource "google_project_iam_member" "firelift_database" {
  for_each = google_project_iam_custom_role.database
  project  = var.project_id
  role     = "projects/${var.project_id}/roles/${each.value.role_id}"
  member   = local._member[each.key]

  condition {
    title      = local._only_database.title
    expression = local._only_database.expression
  }

  depends_on = [google_service_account.firelift]
}

resource "google_project_iam_member" "firelift_project" {
  for_each = google_project_iam_custom_role.project
  project  = var.project_id
  role     = "projects/${var.project_id}/roles/${each.value.role_id}"
  member   = local._member[each.key]

  depends_on = [google_service_account.firelift]
}
