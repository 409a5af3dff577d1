# Firestore's metrics of one database. Those without `_ops` in their name are of the whole project, and latencies are in
# seconds: https://cloud.google.com/monitoring/api/metrics_gcp_d_h#gcp-firestore
locals {
  _database = "resource.type = \"firestore.googleapis.com/Database\" AND resource.labels.database_id = \"${var.database}\""
  _filters = {
    for name, metric in {
      deletes   = "document/delete_ops_count"
      expired   = "document/ttl_deletion_count"
      latency   = "api/request_latencies"
      listeners = "network/snapshot_listeners"
      reads     = "document/read_ops_count"
      requests  = "api/request_count"
      storage   = "storage/data_and_index_storage_bytes"
      writes    = "document/write_ops_count"
    } : name => "metric.type = \"firestore.googleapis.com/${metric}\" AND ${local._database}"
  }

  # Answers that programs ask for on purpose are no errors: a precondition that did not hold, a document that is not there.
  _expected = ["OK", "ALREADY_EXISTS", "CANCELLED", "FAILED_PRECONDITION", "NOT_FOUND"]
  # What the service itself has failed to answer.
  _unserved = ["DATA_LOSS", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE", "UNKNOWN"]
  _failed_filter = join(" AND ", concat(
    [local._filters.requests], [for code in local._expected : "metric.labels.response_code != \"${code}\""]
  ))
  _unserved_filter = "${local._filters.requests} AND metric.labels.response_code = one_of(${join(", ", [for code in local._unserved : "\"${code}\""])})"
}
