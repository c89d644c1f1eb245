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

resource "aws_sns_topic" "renders" {
  name              = "media-events-dev-renders"
  kms_master_key_id = "alias/aws/sns"
}

module "renders" {
  source = "../../modules/queue-ingress"

  name     = "media-events-dev-renders"
  entry    = "sqs"
  bus_arn  = aws_cloudwatch_event_bus.media.arn
  partners = { telestream = { specification = jsonencode({ preset = "telestream-cloud" }) } }

  allowed_topic_arns = [aws_sns_topic.renders.arn]
}

resource "aws_sns_topic_subscription" "renders" {
  topic_arn = aws_sns_topic.renders.arn
  protocol  = "sqs"
  endpoint  = module.renders.queue_arn

  redrive_policy = jsonencode({ deadLetterTargetArn = module.renders.dlq_arn })
}

output "dead_letter_queues" {
  description = "For dlq-review."
  value       = module.renders.dead_letter_queues
}
