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

module "webhooks" {
  source = "../../modules/ingress-apigw"

  name    = "media-events-dev-webhooks"
  bus_arn = aws_cloudwatch_event_bus.media.arn

  partners = {
    mux = { specification = jsonencode({ preset = "mux" }) }
    frame-io = {
      specification = jsonencode({ preset = "frameio-v4" })
    }
  }
}

output "webhook_urls" {
  description = "The addresses to enter at each partner."
  value       = module.webhooks.webhook_urls
}

output "secret_names" {
  description = "Put each partner's signing secret here, with `aws secretsmanager put-secret-value`."
  value       = module.webhooks.secret_names
}
