output "release" {
  description = "The release's name."
  value       = google_firebaserules_release.this.name
}

output "ruleset" {
  description = "The full name of the ruleset that is released."
  value       = google_firebaserules_ruleset.this.name
}
