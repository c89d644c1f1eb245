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

module "assets" {
  source = "../../modules/ingress-sns-fifo"

  name    = "media-events-dev-assets"
  bus_arn = aws_cloudwatch_event_bus.media.arn
  partner = "mam"

  specification = jsonencode({
    title   = "MAM"
    id      = "body.event"
    type    = "body.what"
    types   = { ingested = "asset.created", approved = "asset.approved" }
    time    = "body.when"
    subject = "body.asset"
  })

  senders = {
    mam = { account_ids = ["111122223333"] }
  }

  topic_archive_days                = 30
  topic_content_based_deduplication = true
  queue                             = { high_throughput = true }
}

output "mam" {
  description = "For the MAM's account: where to publish, and the policy that its role needs."
  value       = { topic_arn = module.assets.topic_arn, policy = module.assets.sender_policy }
}

output "dead_letter_queues" {
  description = "For dlq-review."
  value       = module.assets.dead_letter_queues
}
