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

module "bus" {
  source = "../../modules/bus-custom"

  name        = "media-events-dev"
  description = "Events of our assets"

  archive = { retention_days = 30 }

  senders = {
    post-production = {
      account_ids = ["111122223333"]
      sources     = ["example.post-production"]
    }
    studios = {
      organization_id = "o-a1b2c3d4e5"
      sources         = ["example.studio"]
    }
  }

  # Into the envelope: the studios' events by a specification, those of post-production are in it already.
  partners = {
    studio = {
      sources = ["example.studio"]
      specification = jsonencode({
        title   = "Studios"
        id      = "body.id"
        type    = "envelope.\"detail-type\""
        types   = { Delivered = "asset.created" }
        time    = "envelope.time"
        subject = "body.clip"
      })
    }
    post-production = { sources = ["example.post-production"] }
  }

  aws_services = {
    mediaconvert = {
      sources       = ["aws.mediaconvert"]
      specification = jsonencode({ preset = "mediaconvert" })
      pattern       = jsonencode({ detail = { status = ["COMPLETE", "ERROR"] } })
    }
  }
}

output "dead_letter_queues" {
  description = "For dlq-review."
  value       = module.bus.dead_letter_queues
}

output "bus_arn" {
  description = "Where senders put their events."
  value       = module.bus.bus_arn
}
