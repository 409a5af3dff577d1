provider "helm" {
  kubernetes = {
    config_path    = "~/.kube/config"
    config_context = "shop-prod"
  }
}

module "operator" {
  source           = "../.."
  chart            = "${path.module}/../../../../../charts/firelift"
  operator_account = "firelift-operator@shop-prod.iam.gserviceaccount.com"
  worker_accounts = {
    shop = "firelift-worker@shop-prod.iam.gserviceaccount.com"
  }
  chart_values = {
    image     = { repository = "europe-docker.pkg.dev/shop-prod/firelift/firelift" }
    terraform = { secretNamespaces = ["shop"] }
  }
}
