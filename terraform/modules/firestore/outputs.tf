output "database" {
  description = "The database: its short name, its full name in the API, its uid and where it is."
  value = {
    name     = google_firestore_database.this.name
    id       = "projects/${var.project_id}/databases/${var.database.name}"
    uid      = google_firestore_database.this.uid
    location = google_firestore_database.this.location_id
  }
}

output "fields" {
  description = "Full names of the fields with an override, by key."
  value       = { for key, field in google_firestore_field.override : key => field.name }
}

output "indexes" {
  description = "Full names of the composite indexes, by key. That one is here does not say that it is READY."
  value       = { for key, index in google_firestore_index.composite : key => index.name }
}

output "ttls" {
  description = "Full names of the fields with a TTL, by key. That one is here does not say that it is ACTIVE."
  value       = { for key, field in google_firestore_field.ttl : key => field.name }
}
