output "namespace" {
  description = "The operator's namespace."
  value       = helm_release.this.namespace
}

output "status" {
  description = "What Helm says of the release."
  value       = helm_release.this.status
}
