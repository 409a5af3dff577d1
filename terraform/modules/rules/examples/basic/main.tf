provider "google" {
  project = "shop-prod"
}

module "rules" {
  source      = "../.."
  project_id  = "shop-prod"
  database    = "(default)"
  source_text = file("${path.module}/firestore.rules")
}
