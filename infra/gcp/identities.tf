# Who acts: one account for each service, and one that pushes.

resource "google_service_account" "audit" {
  account_id   = "onus-audit"
  display_name = "Onus audit: reads"
}

resource "google_service_account" "respond" {
  account_id   = "onus-respond"
  display_name = "Onus respond: takes back"
}

resource "google_service_account" "push" {
  account_id   = "onus-push"
  display_name = "Onus push: whose tokens the services let in"
}

# The permissions are derived from rules and remediations (onus generate gcp).
resource "google_project_iam_custom_role" "audit" {
  role_id     = "onusAudit"
  title       = local.audit_role.title
  permissions = local.audit_role.permissions
}

resource "google_project_iam_custom_role" "respond" {
  role_id     = "onusRespond"
  title       = local.respond_role.title
  permissions = local.respond_role.permissions
}

resource "google_project_iam_member" "audit" {
  project = var.project
  role    = google_project_iam_custom_role.audit.id
  member  = google_service_account.audit.member
}

resource "google_project_iam_member" "respond" {
  count   = var.responds ? 1 : 0
  project = var.project
  role    = google_project_iam_custom_role.respond.id
  member  = google_service_account.respond.member
}

# Pub/Sub signs tokens in the name of the account that pushes.
resource "google_service_account_iam_member" "pubsub_signs" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}
