provider "google" {
  project = "shop-prod"
}

variable "slack_token" {
  type      = string
  sensitive = true
  ephemeral = true
}

module "observability" {
  source     = "../.."
  project_id = "shop-prod"
  database   = "(default)"
  channels = {
    on-call = { type = "email", labels = { email_address = "oncall@example.com" } }
    chat    = { type = "slack", labels = { channel_name = "#shop" }, secret_labels = ["auth_token"] }
  }
  channel_secrets = { chat = { auth_token = var.slack_token } }
  alerts = {
    reads_per_day = { above = 1000000, channels = ["chat"] }
    error_ratio   = { above = "2%", channels = ["on-call", "chat"], severity = "CRITICAL" }
    latency_p95   = { above = "800ms", channels = ["chat"] }
    availability  = { below = "99.5%", channels = ["on-call"] }
  }
  log_metrics = {
    app-errors = { filter = "resource.type=\"cloud_run_revision\" severity>=ERROR" }
  }
}
