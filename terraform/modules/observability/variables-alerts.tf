variable "alerts" {
  description = <<-EOT
    What rings, where (keys of `channels`), and how urgent it is. An alert that is left out is not watched. Shares are
    written as `"2%"`, latencies as `"300ms"` or `"1.5s"`; windows are whole minutes.
  EOT
  type = object({
    reads_per_day = optional(object({
      above    = number
      channels = optional(set(string), [])
      severity = optional(string, "WARNING")
    }))
    writes_per_day = optional(object({
      above    = number
      channels = optional(set(string), [])
      severity = optional(string, "WARNING")
    }))
    storage_bytes = optional(object({
      above    = number
      channels = optional(set(string), [])
      severity = optional(string, "WARNING")
    }))
    error_ratio = optional(object({
      above          = string
      window_seconds = optional(number, 300)
      channels       = optional(set(string), [])
      severity       = optional(string, "WARNING")
    }))
    latency_p50 = optional(object({
      above          = string
      window_seconds = optional(number, 900)
      channels       = optional(set(string), [])
      severity       = optional(string, "WARNING")
    }))
    latency_p95 = optional(object({
      above          = string
      window_seconds = optional(number, 900)
      channels       = optional(set(string), [])
      severity       = optional(string, "WARNING")
    }))
    availability = optional(object({
      below          = string
      window_seconds = optional(number, 3600)
      channels       = optional(set(string), [])
      severity       = optional(string, "CRITICAL")
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for alert in values(var.alerts) : alert == null ? true : length(setsubtract(alert.channels, keys(var.channels))) == 0])
    error_message = "The channels of an alert are keys of `channels`: declare the channel first, or correct its name."
  }
  validation {
    condition     = alltrue([for alert in values(var.alerts) : alert == null ? true : contains(["CRITICAL", "ERROR", "WARNING"], alert.severity)])
    error_message = "The severity of an alert is CRITICAL, ERROR or WARNING."
  }
  validation {
    condition = alltrue([
      for share in [try(var.alerts.error_ratio.above, "0%"), try(var.alerts.availability.below, "0%")] :
      can(regex("^[0-9]+(\\.[0-9]+)?%$", share)) && try(tonumber(trimsuffix(share, "%")) <= 100, false)
    ])
    error_message = "`error_ratio.above` and `availability.below` are shares of all requests, such as \"2%\" or \"99.5%\"."
  }
  validation {
    condition = alltrue([
      for latency in [try(var.alerts.latency_p50.above, "1s"), try(var.alerts.latency_p95.above, "1s")] : can(regex("^[0-9]+(\\.[0-9]+)?(ms|s)$", latency))
    ])
    error_message = "`latency_p50.above` and `latency_p95.above` are times, such as \"300ms\" or \"1.5s\"."
  }
  validation {
    condition = alltrue([
      for seconds in [for alert in values(var.alerts) : try(alert.window_seconds, 60)] : seconds >= 60 && seconds <= 86400 && seconds % 60 == 0
    ])
    error_message = "`window_seconds` is a whole number of minutes, from 60 to 86400: that is what Cloud Monitoring aligns to."
  }
}
