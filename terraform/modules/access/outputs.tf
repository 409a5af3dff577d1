output "accounts" {
  description = "E-mail addresses of the service accounts, by account id."
  value       = { for id in keys(var.accounts) : id => "${id}@${local._domain}" }
  depends_on = [
    google_service_account.this,
    google_project_iam_member.database,
    google_project_iam_member.project,
    google_secret_manager_secret_iam_member.this,
    google_service_account_iam_member.workload_identity,
  ]
}

output "firelift" {
  description = "Members of Firelift's own parts, by `operator` and `worker`, with the rights that they have been given."
  value       = local._member
  depends_on = [
    google_project_iam_member.firelift_database,
    google_project_iam_member.firelift_project,
    google_service_account_iam_member.firelift,
  ]
}
