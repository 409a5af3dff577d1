output "accounts" {
  description = "E-mail addresses of the service accounts, by account id."
  value       = module.access.accounts
}

output "channels" {
  description = "Full names of the notification channels, by key."
  value       = module.observability.channels
}

output "dashboard" {
  description = "The dashboard's full name; null where there is none."
  value       = module.observability.dashboard
}

output "database" {
  description = "The database: its short name, its full name in the API, its uid and where it is."
  value       = module.firestore.database
}

output "firelift" {
  description = "Members of Firelift's own parts, by `operator` and `worker`."
  value       = module.access.firelift
}

output "indexes" {
  description = "Full names of the composite indexes, by key. That one is here does not say that it is READY."
  value       = module.firestore.indexes
}

output "log_metrics" {
  description = "Types of the log metrics, by key."
  value       = module.observability.log_metrics
}

output "project_id" {
  description = "The project's id."
  value       = module.project.project_id
}

output "secrets" {
  description = "Full names of the secrets, by id."
  value       = module.secrets.secrets
}

output "ttls" {
  description = "Full names of the fields with a TTL, by key. That one is here does not say that it is ACTIVE."
  value       = module.firestore.ttls
}
