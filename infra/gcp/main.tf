# Onus on Google Cloud: log sink -> Pub/Sub -> gcp-audit -> Pub/Sub -> gcp-respond, with the ledger in a bucket.

terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0, < 8.0"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region
}

data "google_project" "this" {
  project_id = var.project
}

locals {
  audit_role   = jsondecode(file("${path.module}/generated/audit-role.json"))
  respond_role = jsondecode(file("${path.module}/generated/respond-role.json"))
  sink_filter  = file("${path.module}/generated/sink-filter.txt")

  # Pub/Sub's own identity: it moves what cannot be delivered, and signs the tokens of pushes.
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}
