locals {
  _database = "projects/${var.project_id}/databases/${var.database}"
  _only_database = {
    title      = "only ${var.database}"
    expression = "resource.name == \"${local._database}\""
  }
  # A project of a domain, example.com:shop, has the addresses of shop.example.com.
  _domain = "${join(".", reverse(split(":", var.project_id)))}.iam.gserviceaccount.com"
  _pool   = "${var.project_id}.svc.id.goog"
}

resource "google_service_account" "this" {
  for_each     = var.accounts
  project      = var.project_id
  account_id   = each.key
  display_name = each.value.display_name == "" ? each.key : each.value.display_name
}

# Members are spelt out, so that a plan shows who gets what before the account is there.
resource "google_project_iam_member" "database" {
  for_each = merge([
    for id, account in var.accounts : { for role in account.roles : "${id} ${role}" => { account = id, role = role } }
  ]...)
  project = var.project_id
  role    = each.value.role
  member  = "serviceAccount:${each.value.account}@${local._domain}"

  condition {
    title      = local._only_database.title
    expression = local._only_database.expression
  }

  depends_on = [google_service_account.this]
}

resource "google_project_iam_member" "project" {
  for_each = merge([
    for id, account in var.accounts : { for role in account.project_roles : "${id} ${role}" => { account = id, role = role } }
  ]...)
  project = var.project_id
  role    = each.value.role
  member  = "serviceAccount:${each.value.account}@${local._domain}"

  depends_on = [google_service_account.this]
}

resource "google_secret_manager_secret_iam_member" "this" {
  for_each = merge([
    for id, account in var.accounts : { for secret in account.secrets : "${id} ${secret}" => { account = id, secret = secret } }
  ]...)
  project   = var.project_id
  secret_id = var.secrets[each.value.secret]
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${each.value.account}@${local._domain}"

  depends_on = [google_service_account.this]
}

resource "google_service_account_iam_member" "workload_identity" {
  for_each           = { for id, account in var.accounts : id => account.workload_identity if account.workload_identity != null }
  service_account_id = google_service_account.this[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${coalesce(each.value.pool, local._pool)}[${each.value.namespace}/${each.value.service_account}]"
}
