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

module "shop" {
  source = "../../modules/bus-partner"

  name              = "media-events-dev-shop"
  event_source_name = "aws.partner/shop.example/media/1"
  bus_arn           = aws_cloudwatch_event_bus.media.arn

  partner = "shop"
  specification = jsonencode({
    title   = "Shop"
    id      = "body.id"
    type    = "envelope.\"detail-type\""
    types   = { "Asset Ready" = "asset.ready" }
    time    = "envelope.time"
    subject = "body.asset"
  })

  archive                  = { retention_days = 30 }
  inactivity_alarm_minutes = 720
}

# For rules of one's own, which want the events as they are.
module "tickets" {
  source = "../../modules/bus-partner"

  name               = "media-events-dev-tickets"
  event_source_name  = "aws.partner/tickets.example/media/1"
  bus_arn            = aws_cloudwatch_event_bus.media.arn
  forward_unmodified = true
  pattern            = jsonencode({ detail-type = ["Ticket Created"] })
}

output "dead_letter_queues" {
  description = "For dlq-review."
  value       = merge(module.shop.dead_letter_queues, module.tickets.dead_letter_queues)
}
