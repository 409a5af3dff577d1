locals {
  _namespace     = "firelift-system" # the chart's own
  _identity      = "iam.gke.io/gcp-service-account"
  _field_manager = "terraform-firelift"
}

resource "helm_release" "this" {
  name             = "firelift"
  repository       = var.repository
  chart            = var.chart
  version          = var.chart_version
  namespace        = local._namespace
  create_namespace = true
  values           = [yamlencode(var.chart_values)]

  # A release that does not come up is taken back, and the one before it goes on.
  atomic  = true
  wait    = true
  timeout = var.timeout_seconds
}
