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

# S3 tells EventBridge of a bucket only if it is asked to.
resource "aws_s3_bucket" "masters" {
  bucket_prefix = "media-events-dev-masters-"
}

resource "aws_s3_bucket_notification" "masters" {
  bucket      = aws_s3_bucket.masters.id
  eventbridge = true
}

module "services" {
  source = "../../modules/ingress-bus"

  name     = "media-events-dev-services"
  bus_name = "default"
  bus_arn  = aws_cloudwatch_event_bus.media.arn

  partners = {
    mediaconvert = {
      sources       = ["aws.mediaconvert"]
      specification = jsonencode({ preset = "mediaconvert" })
      pattern       = jsonencode({ detail = { status = ["COMPLETE", "ERROR"] } })
    }
    s3 = {
      sources       = ["aws.s3"]
      specification = jsonencode({ preset = "s3" })
      pattern       = jsonencode({ detail-type = ["Object Created"], detail = { bucket = { name = [{ prefix = "media-events-dev-masters-" }] } } })
    }
  }
}

output "dead_letter_queues" {
  description = "For dlq-review."
  value       = module.services.dead_letter_queues
}
