provider "google" {
  project = "shop-prod"
}

module "access" {
  source     = "../.."
  project_id = "shop-prod"
  database   = "(default)"
  accounts = {
    shop-app = {
      display_name      = "The shop"
      roles             = ["roles/datastore.user"]
      project_roles     = ["roles/cloudtrace.agent"]
      workload_identity = { namespace = "shop", service_account = "app" }
    }
  }
  operator = { workload_identity = { namespace = "firelift-system", service_account = "firelift-operator" } }
  workers  = { workload_identity = { namespace = "shop", service_account = "firelift-worker" } }
}
