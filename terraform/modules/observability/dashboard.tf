locals {
  _charts = [
    { title = "Reads per second", filters = [local._filters.reads], aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = [], unit = "1/s" },
    { title = "Writes and deletes per second", filters = [local._filters.writes, local._filters.deletes], aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = [], unit = "1/s" },
    { title = "Requests per second by answer", filters = [local._filters.requests], aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = ["metric.label.response_code"], unit = "1/s" },
    { title = "Median latency by method", filters = [local._filters.latency], aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_50", by = ["metric.label.api_method"], unit = "s" },
    { title = "95th percentile of latency by method", filters = [local._filters.latency], aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_95", by = ["metric.label.api_method"], unit = "s" },
    { title = "Data and indexes stored", filters = [local._filters.storage], aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", by = [], unit = "By" },
    { title = "Documents deleted by TTLs per second", filters = [local._filters.expired], aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = [], unit = "1/s" },
    { title = "Snapshot listeners", filters = [local._filters.listeners], aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", by = [], unit = "1" },
  ]
  _tiles = [
    for place, chart in local._charts : merge(
      # Cloud Monitoring leaves out what is zero or empty, and every plan would show it again.
      place % 2 == 0 ? {} : { xPos = 24 },
      place < 2 ? {} : { yPos = floor(place / 2) * 16 },
      {
        width  = 24
        height = 16
        widget = {
          title = chart.title
          xyChart = {
            dataSets = [
              for filter in chart.filters : {
                plotType = "LINE"
                timeSeriesQuery = {
                  unitOverride = chart.unit
                  timeSeriesFilter = {
                    filter = filter
                    aggregation = merge(
                      {
                        alignmentPeriod    = "60s"
                        perSeriesAligner   = chart.aligner
                        crossSeriesReducer = chart.reducer
                      },
                      length(chart.by) == 0 ? {} : { groupByFields = chart.by },
                    )
                  }
                }
              }
            ]
          }
        }
    })
  ]
}

resource "google_monitoring_dashboard" "this" {
  count   = var.dashboard ? 1 : 0
  project = var.project_id
  dashboard_json = jsonencode({
    displayName  = "Firestore ${var.database}"
    mosaicLayout = { columns = 48, tiles = local._tiles }
  })
}
