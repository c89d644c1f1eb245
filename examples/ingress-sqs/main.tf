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

locals {
  # A message of one's own needs no preset: this says where in it the event's id, type, time and asset are.
  render = jsonencode({
    title   = "Render farm"
    id      = "body.render_id"
    type    = "body.state"
    types   = { finished = "encode.completed", failed = "encode.failed" }
    time    = "body.at"
    subject = "body.asset"
  })
}

resource "aws_cloudwatch_event_bus" "media" {
  name = "media-events-dev"
}

module "storage" {
  source = "../../modules/internal/storage-bucket"

  name = "media-events-dev"
}

locals {
  settings = { bucket = module.storage.bucket }
}

# In order per asset: the farm sends with the asset as the message group.
module "renders" {
  source = "../../modules/ingress-sqs"

  name          = "media-events-dev-renders"
  bus_arn       = aws_cloudwatch_event_bus.media.arn
  partner       = "render-farm"
  specification = local.render
  settings      = local.settings

  fifo  = true
  queue = { high_throughput = true, content_based_deduplication = true, maximum_concurrency = 10 }

  senders = {
    farm = { role_arns = ["arn:aws:iam::111122223333:role/render-farm"] }
  }
}

# A queue that exists already. In another account, its policy would need the statements in `existing_queue_policy`.
resource "aws_sqs_queue" "proxies" {
  name                       = "proxies"
  visibility_timeout_seconds = 6 * 30 + 5
}

module "proxies" {
  source = "../../modules/ingress-sqs"

  name          = "media-events-dev-proxies"
  bus_arn       = aws_cloudwatch_event_bus.media.arn
  partner       = "proxy-farm"
  specification = local.render
  settings      = local.settings

  existing_queue = {
    arn = aws_sqs_queue.proxies.arn
    url = aws_sqs_queue.proxies.url
  }

  queue    = { batch_size = 100, batch_window_seconds = 5 }
  function = { timeout_seconds = 30 }
}

output "render_farm" {
  description = "For the render farm's account: where to send, and the policy that its role needs."
  value       = { queue_url = module.renders.queue_url, policy = module.renders.sender_policy }
}

output "dead_letter_queues" {
  description = "For dlq-review."
  value       = merge(module.renders.dead_letter_queues, module.proxies.dead_letter_queues)
}
