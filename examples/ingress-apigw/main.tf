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
    mux = {
      specification = jsonencode({ preset = "mux" })
      throttle      = { rate = 20, burst = 40 } # a busy one: it shall not take the others' share
    }
    frame-io = {
      specification = jsonencode({ preset = "frameio-v4" })
    }
    # A system in this account: API Gateway checks who it is, so that it signs nothing else and shares no secret.
    our-mam = {
      specification = jsonencode({
        title   = "Our MAM"
        id      = "body.event_id"
        time    = "body.sent_at"
        subject = "body.asset.id"
        type    = "body.event"
        types   = { "asset.published" = "asset.ready" }
      })
      authorization = { type = "iam", principals = [aws_iam_role.mam.arn] }
    }
  }
}

resource "aws_iam_role" "mam" {
  name = "media-events-dev-mam"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "mam_sends_webhooks" {
  name   = "send-webhooks"
  role   = aws_iam_role.mam.name
  policy = module.webhooks.invoke_policies["our-mam"]
}

output "webhook_urls" {
  description = "The addresses to enter at each partner."
  value       = module.webhooks.webhook_urls
}

output "secret_names" {
  description = "Put each partner's signing secret here, with `aws secretsmanager put-secret-value`."
  value       = module.webhooks.secret_names
}
