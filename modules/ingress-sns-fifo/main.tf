data "aws_region" "current" {}

locals {
  own_topic = var.existing_topic == null
  topic_arn = local.own_topic ? aws_sns_topic.this[0].arn : var.existing_topic.arn
}

module "ingress" {
  source = "../internal/queue-ingress"

  name               = var.name
  ingress            = "sns-fifo"
  bus_arn            = var.bus_arn
  partners           = { (var.partner) = { specification = var.specification } }
  fifo               = var.fifo
  allowed_topic_arns = [local.topic_arn]
  max_entry_bytes    = var.max_entry_bytes
  idempotency_table  = var.idempotency_table

  existing_dlq = var.existing_dlq

  settings = var.settings
  function = var.function
  queue    = var.queue
  failure  = var.failure
}

################################################################################
# Subscription
################################################################################

resource "aws_sns_topic_subscription" "this" {
  topic_arn            = local.topic_arn
  protocol             = "sqs"
  endpoint             = module.ingress.queue.arn
  raw_message_delivery = var.raw_message_delivery

  filter_policy       = var.filter_policy
  filter_policy_scope = var.filter_policy == null ? null : var.filter_policy_scope

  # SNS can't deliver where the queue's policy or key is wrong, or the queue is gone.
  redrive_policy = jsonencode({ deadLetterTargetArn = module.ingress.dlq_arn })

  replay_policy = var.replay == null ? null : jsonencode(merge(
    { PointType = "Timestamp", StartingPoint = var.replay.from },
    var.replay.until == null ? {} : { EndingPoint = var.replay.until },
  ))

  lifecycle {
    # What is published between two subscriptions reaches neither.
    create_before_destroy = true

    precondition {
      condition     = local.own_topic ? true : split(":", var.existing_topic.arn)[3] == data.aws_region.current.id
      error_message = "existing_topic is in another region than the provider: SNS subscribes in the topic's region only. Use the module with a provider of the topic's region."
    }
  }
}
