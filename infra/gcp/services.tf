# The services that are pushed to, and the subscriptions that push to them with a token.

locals {
  # A push's audience is a name of our own: a service's URL is known only once it is there.
  audience = { audit = "onus-audit", respond = "onus-respond" }

  services = {
    audit = {
      account     = google_service_account.audit.email
      image       = var.audit_image
      concurrency = 20
      environment = { ONUS_RESPONSES = google_pubsub_topic.responses.id }
    }
    respond = {
      account     = google_service_account.respond.email
      image       = var.respond_image
      concurrency = 10
      environment = local.approves ? { ONUS_APPROVAL_URL = google_cloud_run_v2_service.approve[0].uri } : {}
    }
  }

  environment = {
    ONUS_CONFIG         = var.config
    ONUS_LEDGER         = "gs://${google_storage_bucket.ledger.name}/onus"
    ONUS_ACCOUNT        = var.project
    ONUS_TOPIC          = google_pubsub_topic.findings.id
    ONUS_PUSH_ACCOUNT   = google_service_account.push.email
    ONUS_OWN_PRINCIPALS = "${google_service_account.audit.email},${google_service_account.respond.email}"
  }
}

resource "google_cloud_run_v2_service" "this" {
  for_each         = local.services
  name             = "onus-${each.key}"
  location         = var.region
  ingress          = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  custom_audiences = [local.audience[each.key]]

  template {
    service_account                  = each.value.account
    timeout                          = "300s"
    max_instance_request_concurrency = each.value.concurrency

    containers {
      image = each.value.image

      dynamic "env" {
        for_each = merge(local.environment, each.value.environment, {
          ONUS_PUSH_AUDIENCE = local.audience[each.key]
          ONUS_DEAD_LETTERS  = google_pubsub_topic.dead_letters[each.key].id
        })
        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = each.key == "respond" && local.approves ? ["ONUS_APPROVAL_KEY"] : []
        content {
          name = env.value
          value_source {
            secret_key_ref {
              secret  = var.approval_secret
              version = "latest"
            }
          }
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.key]
}

# The platform lets in the account that pushes, and the service checks the token again by itself.
resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = google_cloud_run_v2_service.this
  location = var.region
  name     = each.value.name
  role     = "roles/run.invoker"
  member   = google_service_account.push.member
}

resource "google_pubsub_subscription" "changes" {
  name                       = "onus-changes"
  topic                      = google_pubsub_topic.changes.id
  ack_deadline_seconds       = 310
  message_retention_duration = "604800s"

  push_config {
    push_endpoint = google_cloud_run_v2_service.this["audit"].uri
    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = local.audience.audit
    }
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters["audit"].id
    max_delivery_attempts = 20
  }

  retry_policy {
    minimum_backoff = "5s"
    maximum_backoff = "600s"
  }

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription" "responses" {
  name                       = "onus-responses"
  topic                      = google_pubsub_topic.responses.id
  ack_deadline_seconds       = 310
  message_retention_duration = "604800s"
  enable_message_ordering    = true

  push_config {
    push_endpoint = google_cloud_run_v2_service.this["respond"].uri
    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = local.audience.respond
    }
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters["respond"].id
    max_delivery_attempts = 20
  }

  retry_policy {
    minimum_backoff = "15s"
    maximum_backoff = "600s"
  }

  expiration_policy {
    ttl = ""
  }
}

# What is due without an event: a sweep of the log for what the sink missed, the day's baseline, warnings, reviews of ended exemptions.
resource "google_cloud_scheduler_job" "tick" {
  name             = "onus-tick"
  region           = var.region
  schedule         = "*/15 * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "310s"

  retry_config {
    retry_count          = 3
    min_backoff_duration = "30s"
  }

  http_target {
    uri         = "${google_cloud_run_v2_service.this["audit"].uri}/tick"
    http_method = "POST"
    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = local.audience.audit
    }
  }
}
