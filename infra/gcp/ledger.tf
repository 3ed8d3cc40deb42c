# The ledger: entries are created and read. The retention policy keeps everybody from overwriting or deleting one.

resource "google_storage_bucket" "ledger" {
  name                        = "${var.project}-onus-ledger"
  location                    = var.ledger_location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  retention_policy {
    # Lock it (is_locked = true) once the period is right: that cannot be taken back.
    retention_period = var.ledger_retention_days * 24 * 60 * 60
    is_locked        = false
  }
}

# objectCreator cannot overwrite or delete, objectViewer reads and lists.
resource "google_storage_bucket_iam_member" "ledger" {
  for_each = {
    for pair in setproduct(["audit", "respond"], ["objectCreator", "objectViewer"]) : join("-", pair) => pair
  }
  bucket = google_storage_bucket.ledger.name
  role   = "roles/storage.${each.value[1]}"
  member = each.value[0] == "audit" ? google_service_account.audit.member : google_service_account.respond.member
}

# People ask for something by creating an object below requests/; the bucket tells the respond topic.
data "google_storage_project_service_account" "this" {}

resource "google_storage_notification" "requests" {
  bucket             = google_storage_bucket.ledger.name
  topic              = google_pubsub_topic.responses.id
  payload_format     = "JSON_API_V1"
  event_types        = ["OBJECT_FINALIZE"]
  object_name_prefix = "onus/requests/"
  depends_on         = [google_pubsub_topic_iam_member.bucket_tells]
}

resource "google_pubsub_topic_iam_member" "bucket_tells" {
  topic  = google_pubsub_topic.responses.id
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:${data.google_storage_project_service_account.this.email_address}"
}
