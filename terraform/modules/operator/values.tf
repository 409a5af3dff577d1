locals {
  _identity = "iam.gke.io/gcp-service-account"

  _values = {
    operator = {
      serviceAccount = {
        annotations = var.operator_account == null ? {} : { (local._identity) = var.operator_account }
      }
    }
    worker = {
      serviceAccountName = length(var.worker_accounts) == 0 ? "" : "firelift-worker"
      serviceAccounts = [
        for namespace, account in var.worker_accounts : {
          namespace   = namespace
          annotations = account == "" ? {} : { (local._identity) = account }
        }
      ]
    }
  }

  # Helm joins them map by map; what is said by `chart_values` wins.
  values = [yamlencode(local._values), yamlencode(var.chart_values)]
}
