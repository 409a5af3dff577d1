resource "kubernetes_annotations" "operator" {
  count       = var.operator_account == null ? 0 : 1
  api_version = "v1"
  kind        = "ServiceAccount"

  metadata {
    name      = "firelift-operator"
    namespace = helm_release.this.namespace
  }

  annotations   = { (local._identity) = var.operator_account }
  field_manager = local._field_manager
}

# Workers read and write Firestore only: they have no right in Kubernetes, and no token for it.
resource "kubernetes_service_account_v1" "worker" {
  for_each = var.worker_accounts

  metadata {
    name        = "firelift-worker"
    namespace   = each.key
    annotations = each.value == "" ? {} : { (local._identity) = each.value }
  }

  automount_service_account_token = false
}
