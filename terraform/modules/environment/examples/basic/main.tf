provider "google" {
  project = "shop-prod"
}

module "environment" {
  source = "../.."
  project = {
    id       = "shop-prod"
    services = ["firestore.googleapis.com", "monitoring.googleapis.com"]
  }
  database = {
    name     = "(default)"
    location = "nam5"
    backups  = { daily = { retention_days = 7 } }
  }
  indexes = {
    composite = {
      orders-by-state = {
        collection = "orders"
        fields = [
          { path = "state", order = "ASCENDING" },
          { path = "placed_at", order = "DESCENDING" },
        ]
      }
    }
  }
  ttls = {
    sessions = { collection = "sessions", path = "expireAt" }
  }
  access = {
    accounts = {
      shop-app = { roles = ["roles/datastore.user"] }
    }
    workers = { workload_identity = { namespace = "shop", service_account = "firelift-worker" } }
  }
  observability = {
    channels = { on-call = { type = "email", labels = { email_address = "oncall@example.com" } } }
    alerts   = { error_ratio = { above = "2%", channels = ["on-call"] } }
  }
}
