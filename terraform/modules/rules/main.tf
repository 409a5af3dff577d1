resource "google_firebaserules_ruleset" "this" {
  project = var.project_id

  source {
    files {
      name    = var.file_name
      content = var.source_text
    }
  }

  lifecycle {
    create_before_destroy = true # a ruleset that is released cannot be deleted
  }
}

resource "google_firebaserules_release" "this" {
  project      = var.project_id
  name         = var.database == "(default)" ? "cloud.firestore" : "cloud.firestore/${var.database}"
  ruleset_name = google_firebaserules_ruleset.this.name

  lifecycle {
    replace_triggered_by = [google_firebaserules_ruleset.this]
  }
}
