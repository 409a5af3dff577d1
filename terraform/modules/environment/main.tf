module "project" {
  source     = "../project"
  project_id = var.project.id
  create     = var.project.create
  services   = var.project.services
  labels     = var.project.labels
  budgets    = var.project.budgets
  channels   = module.observability.channels
}

module "firestore" {
  source     = "../firestore"
  project_id = module.project.project_id
  database   = var.database
  composite  = var.indexes.composite
  fields     = var.indexes.fields
  ttls       = var.ttls
  firebase   = var.indexes.firebase
  ledger     = var.indexes.ledger
  skip_wait  = var.indexes.skip_wait
}

module "access" {
  source     = "../access"
  project_id = module.project.project_id
  database   = var.database.name
  accounts   = var.access.accounts
  operator   = var.access.operator
  workers    = var.access.workers
  secrets    = module.secrets.secrets
}

module "observability" {
  source          = "../observability"
  project_id      = module.project.project_id
  database        = var.database.name
  channels        = var.observability.channels
  channel_secrets = var.channel_secrets
  alerts          = var.observability.alerts
  log_metrics     = var.observability.log_metrics
  dashboard       = var.observability.dashboard
}

module "secrets" {
  source     = "../secrets"
  project_id = module.project.project_id
  secrets    = var.secrets
  values     = var.secret_values
}

module "rules" {
  source      = "../rules"
  for_each    = var.rules == null ? {} : { released = var.rules }
  project_id  = module.project.project_id
  database    = module.firestore.database.name
  source_text = each.value.source
}
