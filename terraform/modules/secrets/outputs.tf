output "secrets" {
  description = "Full names of the secrets, by id."
  value       = { for id in keys(var.secrets) : id => "projects/${var.project_id}/secrets/${id}" }
  depends_on  = [google_secret_manager_secret.this, google_secret_manager_secret_version.this]
}
