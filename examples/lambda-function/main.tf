terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

provider "aws" {
  region = "eu-west-1"
}

module "storage" {
  source = "../../modules/storage-bucket"

  name = "media-events-dev"
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "media-events-dev-webhook-dlq"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

module "webhook" {
  source = "../../modules/lambda-function"

  name        = "media-events-dev-webhook"
  description = "Verifies and publishes webhooks that come through our own gateway"
  handler     = "media_events.handlers.webhook.handler"
  memory_mb   = 512

  bucket = { name = module.storage.bucket_name, arn = module.storage.bucket_arn }
  configuration = jsonencode({
    partners = { mux = { specification = { preset = "mux" }, secret_arns = [] } }
  })

  environment = {
    HOP                   = "ingress/webhook"
    DEAD_LETTER_QUEUE_URL = aws_sqs_queue.dead_letters.url
  }

  policy_statements = {
    GiveUp = {
      actions   = ["sqs:SendMessage"]
      resources = [aws_sqs_queue.dead_letters.arn]
    }
  }
}

output "function_arn" {
  description = "For the gateway's integration."
  value       = module.webhook.function_arn
}
