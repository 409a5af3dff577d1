resource "helm_release" "this" {
  name             = "firelift"
  repository       = var.repository
  chart            = var.chart
  version          = var.chart_version
  namespace        = var.namespace
  create_namespace = true
  values           = local.values

  # A release that does not come up is taken back, and the one before it goes on.
  atomic  = true
  wait    = true
  timeout = var.timeout_seconds
}
