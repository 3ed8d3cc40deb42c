# The two services, and the subscriptions that push to them with a token.

locals {
  # A push's audience is a name of our own: a service's URL is known only once it is there.
  audience = { audit = "onus-audit", respond = "onus-respond" }

  environment = {
    ONUS_CONFIG         = var.config
    ONUS_LEDGER         = "gs://${google_storage_bucket.ledger.name}/onus"
    ONUS_ACCOUNT        = var.project
    ONUS_TOPIC          = google_pubsub_topic.findings.id
    ONUS_PUSH_ACCOUNT   = google_service_account.push.email
    ONUS_OWN_PRINCIPALS = "${google_service_account.audit.email},${google_service_account.respond.email}"
  }
}

resource "google_cloud_run_v2_service" "audit" {
  name             = "onus-audit"
  location         = var.region
  ingress          = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  custom_audiences = [local.audience.audit]

  template {
    service_account                  = google_service_account.audit.email
    timeout                          = "300s"
    max_instance_request_concurrency = 20

    containers {
      image = var.audit_image

      dynamic "env" {
        for_each = merge(local.environment, {
          ONUS_PUSH_AUDIENCE = local.audience.audit
          ONUS_RESPONSES     = google_pubsub_topic.responses.id
          ONUS_DEAD_LETTERS  = google_pubsub_topic.dead_letters["audit"].id
        })
        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }
}

resource "google_cloud_run_v2_service" "respond" {
  name             = "onus-respond"
  location         = var.region
  ingress          = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  custom_audiences = [local.audience.respond]

  template {
    service_account                  = google_service_account.respond.email
    timeout                          = "300s"
    max_instance_request_concurrency = 10

    containers {
      image = var.respond_image

      dynamic "env" {
        for_each = merge(local.environment, {
          ONUS_PUSH_AUDIENCE = local.audience.respond
          ONUS_DEAD_LETTERS  = google_pubsub_topic.dead_letters["respond"].id
        })
        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }
}

# The platform lets in the account that pushes, and the service checks the token again by itself.
resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = {
    audit   = google_cloud_run_v2_service.audit.name
    respond = google_cloud_run_v2_service.respond.name
  }
  location = var.region
  name     = each.value
  role     = "roles/run.invoker"
  member   = google_service_account.push.member
}

resource "google_pubsub_subscription" "changes" {
  name                       = "onus-changes"
  topic                      = google_pubsub_topic.changes.id
  ack_deadline_seconds       = 310
  message_retention_duration = "604800s"

  push_config {
    push_endpoint = google_cloud_run_v2_service.audit.uri
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
    push_endpoint = google_cloud_run_v2_service.respond.uri
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
