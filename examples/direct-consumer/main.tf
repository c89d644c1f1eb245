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

resource "aws_cloudwatch_event_bus" "media" {
  name = "media-events-dev"
}

resource "aws_cloudwatch_event_rule" "assets" {
  name           = "media-events-dev-cms"
  event_bus_name = aws_cloudwatch_event_bus.media.name
  event_pattern  = jsonencode({ detail-type = ["asset.ready"] })
}

resource "aws_secretsmanager_secret" "cms" {
  name = "media-events-dev/cms"
}

resource "aws_dynamodb_table" "ledger" {
  name         = "media-events-dev-ledger"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"

  attribute {
    name = "pk"
    type = "S"
  }

  ttl {
    enabled        = true
    attribute_name = "expires"
  }
}

module "cms" {
  source = "../../modules/direct-consumer"

  name    = "media-events-dev-cms"
  hop     = "route/cms"
  handler = "media_events.handlers.deliver.handler"

  configuration = jsonencode({
    destination = {
      name = "cms"
      type = "http"
      url  = "https://cms.example.com/events"
      mode = "structured"
      auth = { type = "api-key", header = "X-Api-Key", secret_arn = aws_secretsmanager_secret.cms.arn }
    }
  })

  environment = { IDEMPOTENCY_TABLE = aws_dynamodb_table.ledger.name }

  rules          = { assets = aws_cloudwatch_event_rule.assets.arn }
  function_retry = { max_attempts = 2, max_age_seconds = 3600 }

  policy_statements = {
    ReadSecret = {
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [aws_secretsmanager_secret.cms.arn]
    }
    UseLedger = {
      actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]
      resources = [aws_dynamodb_table.ledger.arn]
    }
  }
}

resource "aws_cloudwatch_event_target" "cms" {
  rule           = aws_cloudwatch_event_rule.assets.name
  event_bus_name = aws_cloudwatch_event_bus.media.name
  arn            = module.cms.function_arn

  dead_letter_config {
    arn = module.cms.dlq_arn
  }

  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 185
  }
}

output "dlq_url" {
  description = "Where what could not be delivered goes."
  value       = module.cms.dlq_url
}
