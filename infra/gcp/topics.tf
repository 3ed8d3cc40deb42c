# Queues between the parts, and behind each a topic for what cannot be delivered or handled.

resource "google_pubsub_topic" "changes" {
  name = "onus-changes"
}

resource "google_pubsub_topic" "responses" {
  name = "onus-responses"
}

resource "google_pubsub_topic" "findings" {
  name = "onus-findings"
}

resource "google_pubsub_topic" "dead_letters" {
  for_each = toset(["audit", "respond"])
  name     = "onus-${each.key}-dead-letters"
}

# A topic without a subscription keeps nothing.
resource "google_pubsub_subscription" "dead_letters" {
  for_each                   = google_pubsub_topic.dead_letters
  name                       = each.value.name
  topic                      = each.value.id
  ack_deadline_seconds       = 300 # `onus replay-dlq` handles a batch meanwhile
  message_retention_duration = "2678400s"
  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_topic_iam_member" "publishes" {
  for_each = {
    audit-responses      = { topic = google_pubsub_topic.responses.id, member = google_service_account.audit.member }
    audit-findings       = { topic = google_pubsub_topic.findings.id, member = google_service_account.audit.member }
    respond-findings     = { topic = google_pubsub_topic.findings.id, member = google_service_account.respond.member }
    audit-dead-letters   = { topic = google_pubsub_topic.dead_letters["audit"].id, member = google_service_account.audit.member }
    respond-dead-letters = { topic = google_pubsub_topic.dead_letters["respond"].id, member = google_service_account.respond.member }
  }
  topic  = each.value.topic
  role   = "roles/pubsub.publisher"
  member = each.value.member
}

# Pub/Sub itself moves what was refused too often.
resource "google_pubsub_topic_iam_member" "moves_dead_letters" {
  for_each = google_pubsub_topic.dead_letters
  topic    = each.value.id
  role     = "roles/pubsub.publisher"
  member   = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "moves_dead_letters" {
  for_each = {
    audit   = google_pubsub_subscription.changes.name
    respond = google_pubsub_subscription.responses.name
  }
  subscription = each.value
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

# What rules watch, and nothing else. The filter is derived from the rules (onus generate gcp).
resource "google_logging_project_sink" "changes" {
  name                   = "onus-changes"
  destination            = "pubsub.googleapis.com/${google_pubsub_topic.changes.id}"
  filter                 = local.sink_filter
  unique_writer_identity = true
}

resource "google_pubsub_topic_iam_member" "sink_writes" {
  topic  = google_pubsub_topic.changes.id
  role   = "roles/pubsub.publisher"
  member = google_logging_project_sink.changes.writer_identity
}
