mock_provider "google" {}

variables {
  project = {
    id       = "shop-prod"
    services = ["firestore.googleapis.com", "monitoring.googleapis.com"]
    budgets  = { monthly = { amount = 100, channels = ["on-call"], billing_account = "000000-000000-000000" } }
  }
  database = {
    name     = "(default)"
    location = "nam5"
    backups  = { daily = { retention_days = 7 }, weekly = { day = "SUNDAY", retention_days = 98 } }
  }
  indexes = {
    composite = {
      telemetry-by-device = {
        collection = "telemetry"
        fields = [
          { path = "tenant_id", order = "ASCENDING" },
          { path = "timestamp_ms", order = "DESCENDING" },
        ]
      }
    }
    fields = { telemetry-payload = { collection = "telemetry", path = "payload", indexed = false } }
  }
  ttls = { telemetry = { collection = "telemetry", path = "expireAt" } }
  access = {
    accounts = {
      bas-app-prod = {
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
    channels = { on-call = { type = "email", labels = { email_address = "oncall@example.com" } } }
    alerts = {
      reads_per_day  = { above = 1000000, channels = ["on-call"] }
      writes_per_day = { above = 500000, channels = ["on-call"] }
      storage_bytes  = { above = 1000000000, channels = ["on-call"] }
      error_ratio    = { above = "2%", window_seconds = 300, channels = ["on-call"], severity = "CRITICAL" }
      latency_p50    = { above = "300ms", window_seconds = 900, channels = ["on-call"] }
      latency_p95    = { above = "800ms", window_seconds = 900, channels = ["on-call"] }
      availability   = { below = "99.5%", window_seconds = 3600, channels = ["on-call"] }
    }
    log_metrics = { app-errors = { filter = "resource.type=\"cloud_run_revision\" severity>=ERROR" } }
    dashboard   = true
  }
  secrets       = { api-key = { version = 1 }, firestore-project-id = {} }
  secret_values = { api-key = "s3cret" }
  rules         = { source = "service cloud.firestore { match /databases/{d}/documents { match /{all=**} { allow read: if false; } } }" }
}

run "everything_that_an_environment_may_have_is_planned" {
  command = plan

  assert {
    condition     = output.accounts["bas-app-prod"] == "bas-app-prod@shop-prod.iam.gserviceaccount.com"
    error_message = "An account's address is known before it is there."
  }
}
