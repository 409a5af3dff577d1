provider "google" {
  project = "shop-prod"
}

variable "api_key" {
  type      = string
  sensitive = true
  ephemeral = true
}

module "secrets" {
  source     = "../.."
  project_id = "shop-prod"
  secrets = {
    api-key      = { version = 1 }
    webhook-salt = {} # set by others
  }
  values = { api-key = var.api_key }
}
