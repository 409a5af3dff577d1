output "alerts" {
  description = "Full names of the alert policies, by key."
  value       = { for key, policy in google_monitoring_alert_policy.this : key => policy.name }
}

output "channels" {
  description = "Full names of the notification channels, by key."
  value       = { for key, channel in google_monitoring_notification_channel.this : key => channel.name }
}

output "dashboard" {
  description = "The dashboard's full name; null where there is none."
  value       = one(google_monitoring_dashboard.this[*].id)
}

output "log_metrics" {
  description = "Types of the log metrics, by key, as Cloud Monitoring names them."
  value       = { for key, metric in google_logging_metric.this : key => "logging.googleapis.com/user/${metric.name}" }
}
