# What production will be, a week earlier: its shape and its alerts, with less to pay and less to lose.
module "environment" {
  source = "../../modules/environment"
  project = {
    id = "productivityai-staging"
    services = [
      "billingbudgets.googleapis.com", "firebaserules.googleapis.com", "firestore.googleapis.com",
      "monitoring.googleapis.com", "secretmanager.googleapis.com",
    ]
    budgets = { monthly = { amount = 50, channels = ["team"], billing_account = "000000-000000-000000" } }
  }
  database = {
    name     = "(default)"
    location = "nam5"
    backups  = { daily = { retention_days = 3 } }
  }
  indexes = {
    firebase = jsondecode(file("${path.module}/../firestore.indexes.json"))
    ledger   = true
  }
  ttls = { telemetry = { collection = "telemetry", path = "expireAt" } }
  access = {
    accounts = {
      bas-app-staging = {
        display_name      = "The app"
        roles             = ["roles/datastore.user"]
        project_roles     = ["roles/cloudtrace.agent"]
        secrets           = ["api-key"]
        workload_identity = { namespace = "bas", service_account = "app" }
      }
    }
    operator = { workload_identity = { namespace = "firelift-system", service_account = "firelift-operator" } }
    workers  = { workload_identity = { namespace = "productivity", service_account = "firelift-worker" } }
  }
  observability = {
    channels = { team = { type = "email", labels = { email_address = "team@example.com" } } }
    alerts = {
      error_ratio = { above = "5%", channels = ["team"] }
      latency_p95 = { above = "1200ms", channels = ["team"] }
    }
    dashboard = true
  }
  secrets = { api-key = {} }
  rules   = { source = file("${path.module}/../firestore.rules") }
}
