# Plans with the real provider and no access to AWS: patterns and policies are what AWS would get.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

variables {
  name           = "media-test"
  bus_name       = "media"
  bus_arn        = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  bucket         = { name = "kit", arn = "arn:aws:s3:::kit" }
  lambda_package = { s3_bucket = "packages", s3_key = "media_events.zip" }

  transforms = {
    enrich = {
      pattern = jsonencode({ source = ["partner.mux"] })
      steps   = jsonencode([{ enrich = { region = "data.region" } }])
    }
  }

  routes = {
    cms = {
      pattern     = jsonencode({ detail-type = [{ prefix = "asset." }], detail = { metadata = { partner = ["mux"] }, data = { kind = ["video"] } } })
      destination = "catalogue"
      target = { http = {
        url  = "https://cms.example.com/events"
        auth = { type = "api-key", header = "x-api-key", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cms-AbCdEf" }
      } }
      rule_retry = { max_age_seconds = 3600, max_attempts = 10 }
    }
    ingest = {
      pattern = jsonencode({ detail-type = ["asset.ready"] })
      target  = { states = { state_machine_arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:ingest" } }
    }
    lake = {
      pattern   = jsonencode({})
      match_all = true
      stage     = "received"
      enabled   = false
      target = { sqs = {
        queue_arn           = "arn:aws:sqs:eu-west-1:123456789012:lake"
        queue_url           = "https://sqs.eu-west-1.amazonaws.com/123456789012/lake"
        manage_queue_policy = true
        input_transformer   = { paths = { id = "$.detail.metadata.id" }, template = "{\"id\": <id>}\n" }
      } }
    }
    ordered = {
      pattern = jsonencode({ source = ["partner.qc"] })
      target = { sqs = {
        queue_arn        = "arn:aws:sqs:eu-west-1:123456789012:ordered.fifo"
        queue_url        = "https://sqs.eu-west-1.amazonaws.com/123456789012/ordered.fifo"
        message_group_id = "qc"
      } }
    }
  }
}

run "plan" {
  command = plan
}
