provider "google" {
  project               = "shop-prod"
  user_project_override = true # a budget is asked for in the name of a project
  billing_project       = "shop-prod"
}

module "project" {
  source     = "../.."
  project_id = "shop-prod"
  services   = ["firestore.googleapis.com", "monitoring.googleapis.com"]
  budgets = {
    monthly = { amount = 100, billing_account = "000000-000000-000000" }
  }
}
