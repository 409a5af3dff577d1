output "budgets" {
  description = "Full names of the budgets, by key."
  value       = { for key, budget in google_billing_budget.this : key => budget.name }
}

output "number" {
  description = "The project's number, where it is known: of a project that is made here or has budgets."
  value       = local._number
}

output "project_id" {
  description = "The project's id. What uses it waits for the project and its services."
  value       = var.project_id
  depends_on  = [google_project.this, google_project_service.this]
}
