# Plans with the real provider and no access to AWS.

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
  name           = "media-test-review"
  bus_arn        = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  bucket         = { name = "kit", arn = "arn:aws:s3:::kit" }
  lambda_package = { s3_bucket = "packages", s3_key = "media_events.zip" }

  dead_letter_queues = {
    "route/cms" = {
      queue_arn        = "arn:aws:sqs:eu-west-1:123456789012:media-cms-dlq"
      queue_url        = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms-dlq"
      hop              = "route/cms"
      destination      = "cms"
      source_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:media-cms"
      source_queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms"
      route_back       = "queue"
    }
    "route/lake" = {
      queue_arn   = "arn:aws:sqs:eu-west-1:123456789012:media-lake-dlq"
      queue_url   = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-lake-dlq"
      hop         = "route/lake"
      destination = "lake"
      route_back  = "bus"
      redrive     = { max_delay_seconds = 600 }
    }
    "ingress/media-webhook" = {
      queue_arn    = "arn:aws:sqs:eu-west-1:123456789012:media-webhook-dlq"
      queue_url    = "https://sqs.eu-west-1.amazonaws.com/123456789012/media-webhook-dlq"
      hop          = "ingress/media-webhook"
      destination  = "bus"
      function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:media-webhook"
      route_back   = "function"
    }
  }
}

run "plan" {
  command = plan
}
