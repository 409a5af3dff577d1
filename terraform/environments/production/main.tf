variable "api_key" {
  description = "The key of the app's API. It is written once for each version, and never read."
  type        = string
  sensitive   = true
  ephemeral   = true
}

module "environment" {
  source = "../../modules/environment"
  project = {
    id = "productivityai-production"
    services = [
      "billingbudgets.googleapis.com", "firebaserules.googleapis.com", "firestore.googleapis.com",
      "logging.googleapis.com", "monitoring.googleapis.com", "secretmanager.googleapis.com",
    ]
    budgets = { monthly = { amount = 100, thresholds = ["50%", "90%", "100%"], channels = ["on-call"], billing_account = "000000-000000-000000" } }
  }
  database = {
    name     = "(default)"
    location = "nam5"
    backups = {
      daily  = { retention_days = 7 }
      weekly = { day = "SUNDAY", retention_days = 98 }
    }
  }
  indexes = {
    firebase = jsondecode(file("${path.module}/../firestore.indexes.json"))
    ledger   = true
  }
  ttls = { telemetry = { collection = "telemetry", path = "expireAt" } }
  access = {
    accounts = {
      bas-app-prod = {
        display_name      = "The app"
        roles             = ["roles/datastore.user"]
        project_roles     = ["roles/cloudtrace.agent"]
        secrets           = ["api-key", "firestore-project-id"]
        workload_identity = { namespace = "bas", service_account = "app" }
      }
    }
    operator = { workload_identity = { namespace = "firelift-system", service_account = "firelift-operator" } }
    workers  = { workload_identity = { namespace = "productivity", service_account = "firelift-worker" } }
  }
  observability = {
    channels = { on-call = { type = "email", labels = { email_address = "oncall@example.com" } } }
    alerts = {
      reads_per_day  = { above = 1000000, channels = ["on-call"] }
      writes_per_day = { above = 500000, channels = ["on-call"] }
      storage_bytes  = { above = 1000000000, channels = ["on-call"] }
      error_ratio    = { above = "2%", channels = ["on-call"], severity = "CRITICAL" }
      latency_p50    = { above = "300ms", channels = ["on-call"] }
      latency_p95    = { above = "800ms", channels = ["on-call"] }
      availability   = { below = "99.5%", channels = ["on-call"] }
    }
    log_metrics = { app-errors = { filter = "resource.type=\"cloud_run_revision\" severity>=ERROR" } }
    dashboard   = true
  }
  secrets = {
    api-key              = { version = 1 }
    firestore-project-id = {}
  }
  secret_values = { api-key = var.api_key }
  rules         = { source = file("${path.module}/../firestore.rules") }
}
