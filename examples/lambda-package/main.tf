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

module "package" {
  source = "../../modules/lambda-package"

  bucket = local.bucket
}

resource "aws_cloudwatch_event_bus" "media" {
  name = "media-events-dev"
}

module "webhooks" {
  source = "../../modules/ingress-apigw"

  name           = "media-events-dev-webhooks"
  bus_arn        = aws_cloudwatch_event_bus.media.arn
  bucket         = local.bucket
  lambda_package = module.package.lambda_package

  partners = {
    mux = { specification = jsonencode({ preset = "mux" }) }
  }
}

module "review" {
  source = "../../modules/dlq-review"

  name           = "media-events-dev-review"
  bus_arn        = aws_cloudwatch_event_bus.media.arn
  bucket         = local.bucket
  lambda_package = module.package.lambda_package

  dead_letter_queues = module.webhooks.dead_letter_queues
}

locals {
  bucket = { name = module.storage.bucket_name, arn = module.storage.bucket_arn }
}

output "webhook_urls" {
  description = "The URL for each partner."
  value       = module.webhooks.webhook_urls
}
