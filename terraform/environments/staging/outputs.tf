output "environment" {
  description = "What programs and people need to know of it: names, addresses, accounts."
  value       = module.environment
}
