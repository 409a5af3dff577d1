# A place to break: no protection, no backups, no alerts. What is tried here has the indexes of production.
module "environment" {
  source = "../../modules/environment"
  project = {
    id       = "productivityai-dev"
    services = ["firestore.googleapis.com", "firebaserules.googleapis.com"]
  }
  database = {
    name                   = "(default)"
    location               = "europe-west1"
    point_in_time_recovery = false
    delete_protection      = false
  }
  indexes = {
    firebase = jsondecode(file("${path.module}/../firestore.indexes.json"))
    ledger   = true
  }
  ttls = { telemetry = { collection = "telemetry", path = "expireAt" } }
  access = {
    accounts = {
      bas-app-dev = { display_name = "The app", roles = ["roles/datastore.user"] }
    }
    operator = { workload_identity = { namespace = "firelift-system", service_account = "firelift-operator" } }
    workers  = { workload_identity = { namespace = "productivity", service_account = "firelift-worker" } }
  }
  rules = { source = file("${path.module}/../firestore.rules") }
}
