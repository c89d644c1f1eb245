# A bus that exists already, a transform, and five routes: an HTTP endpoint, a state machine, a queue, an API destination, a log group.
#
# In another repository: source = "git::https://github.com/<owner>/<repository>//modules/router?ref=<tag>"

resource "aws_cloudwatch_event_bus" "media" {
  name = "media-example"
}

# The receiver's API key. Terraform makes the secret, a person gives it its value.
resource "aws_secretsmanager_secret" "catalogue" {
  name = "media-example/catalogue"
}

# As above, for what EventBridge itself calls.
resource "aws_secretsmanager_secret" "crm" {
  name = "media-example/crm"
}

resource "aws_sqs_queue" "search_index" {
  name                    = "media-example-search-index"
  sqs_managed_sse_enabled = true
}

module "router" {
  source = "../../modules/router"

  name    = "media-example"
  bus_arn = aws_cloudwatch_event_bus.media.arn

  transforms = {
    tidy = {
      pattern = jsonencode({ source = ["partner.mux"] })
      steps = jsonencode([
        { drop = "data.data.test" },
        { map = { asset = "metadata.subject", duration_seconds = "data.data.duration", policy = "data.data.playback_ids[0].policy" } },
        { set = { tier = "standard" } },
      ])
    }
  }

  routes = {
    catalogue = {
      pattern = jsonencode({ detail-type = ["asset.ready", "asset.deleted"] })
      target = {
        http = {
          url  = "https://catalogue.example.com/events"
          auth = { type = "api-key", header = "x-api-key", secret_arn = aws_secretsmanager_secret.catalogue.arn }
        }
      }
    }

    ingest = {
      pattern = jsonencode({ detail-type = ["asset.ready"], detail = { data = { duration_seconds = [{ numeric = [">", 0] }] } } })
      target  = { step_functions = { state_machine_arn = var.state_machine_arn } }
    }

    search-index = {
      pattern = jsonencode({ detail-type = [{ prefix = "asset." }] })
      stage   = "received" # as the partner sent it
      target = {
        sqs = {
          queue_arn           = aws_sqs_queue.search_index.arn
          queue_url           = aws_sqs_queue.search_index.url
          manage_queue_policy = true # the queue has no other policy
        }
      }
    }

    crm = {
      pattern = jsonencode({ detail-type = ["asset.ready"] })
      target = {
        api_destination = {
          url                   = "https://crm.example.com/assets/*"
          path_values           = ["$.detail.metadata.subject"]
          rate_limit_per_second = 20
          auth                  = { type = "api-key", header = "X-Api-Key", secret_arn = aws_secretsmanager_secret.crm.arn }
          input_transformer     = { paths = { data = "$.detail.data" }, template = "{\"asset\": <data>}" }
        }
      }
    }

    audit = {
      pattern   = jsonencode({})
      match_all = true
      stage     = "received"
      target    = { logs = {} } # /aws/events/media-example-audit
    }
  }
}
