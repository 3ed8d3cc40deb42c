# Where approval links lead. Open to everybody: what is not signed is refused before anything is read. It reaches the ledger and nothing else.

locals {
  approves = var.approval_secret != "" && var.approve_image != ""

  # What the page shows and checks, as far as a service may read it.
  read_for_approval = ["findings", "plans", "decisions", "receipts", "warm"]
  ledger_objects    = "projects/_/buckets/${google_storage_bucket.ledger.name}/objects/onus"
}

resource "google_service_account" "approve" {
  account_id   = "onus-approve"
  display_name = "Onus approve: puts answers down"
}

resource "google_cloud_run_v2_service" "approve" {
  count    = local.approves ? 1 : 0
  name     = "onus-approve"
  location = var.region
  ingress  = "INGRESS_TRAFFIC_ALL"

  template {
    service_account = google_service_account.approve.email
    timeout         = "30s"

    scaling {
      max_instance_count = 2
    }

    containers {
      image = var.approve_image

      env {
        name  = "ONUS_LEDGER"
        value = local.environment.ONUS_LEDGER
      }

      env {
        name = "ONUS_APPROVAL_KEY"
        value_source {
          secret_key_ref {
            secret  = var.approval_secret
            version = "latest"
          }
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.key]
}

resource "google_cloud_run_v2_service_iam_member" "everybody" {
  count    = local.approves ? 1 : 0
  location = var.region
  name     = google_cloud_run_v2_service.approve[0].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}

# Who checks links, and who makes them.
resource "google_secret_manager_secret_iam_member" "key" {
  for_each = local.approves ? {
    approve = google_service_account.approve.member
    respond = google_service_account.respond.member
  } : {}
  secret_id = var.approval_secret
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value
}

# Lists names, which hold no more than ids.
resource "google_storage_bucket_iam_member" "approve_lists" {
  bucket = google_storage_bucket.ledger.name
  role   = "roles/storage.legacyBucketReader"
  member = google_service_account.approve.member
}

resource "google_storage_bucket_iam_member" "approve_reads" {
  bucket = google_storage_bucket.ledger.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.approve.member

  condition {
    title      = "what the page shows"
    expression = join(" || ", [for folder in local.read_for_approval : "resource.name.startsWith('${local.ledger_objects}/${folder}')"])
  }
}

resource "google_storage_bucket_iam_member" "approve_asks" {
  bucket = google_storage_bucket.ledger.name
  role   = "roles/storage.objectCreator"
  member = google_service_account.approve.member

  condition {
    title      = "answers"
    expression = "resource.name.startsWith('${local.ledger_objects}/requests/')"
  }
}
