provider "google" {
  project = "shop-prod"
}

module "firestore" {
  source     = "../.."
  project_id = "shop-prod"
  database = {
    name     = "(default)"
    location = "nam5"
    backups = {
      daily  = { retention_days = 7 }
      weekly = { day = "SUNDAY", retention_days = 98 }
    }
  }
  composite = {
    orders-by-state = {
      collection = "orders"
      fields = [
        { path = "state", order = "ASCENDING" },
        { path = "placed_at", order = "DESCENDING" },
      ]
    }
  }
  fields = {
    order-notes = { collection = "orders", path = "notes", indexed = false }
  }
  ttls = {
    sessions = { collection = "sessions", path = "expireAt" }
  }
  # What the Firebase CLI has written so far.
  firebase = jsondecode(file("${path.module}/firestore.indexes.json"))
}
