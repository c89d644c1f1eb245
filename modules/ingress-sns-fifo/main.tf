data "aws_region" "current" {}

locals {
  own_topic = var.existing_topic_arn == null
  topic_arn = local.own_topic ? aws_sns_topic.this[0].arn : var.existing_topic_arn
}

module "ingress" {
  source = "../internal/queue-ingress"

  name     = var.name
  entry    = "sns-fifo"
  bus_arn  = var.bus_arn
  partners = { (var.partner) = { specification = var.specification } }

  fifo                           = var.fifo
  high_throughput                = var.high_throughput
  allowed_topic_arns             = [local.topic_arn]
  max_receive_count              = var.max_receive_count
  retry                          = var.retry
  visibility_timeout_seconds     = var.visibility_timeout_seconds
  dlq_visibility_timeout_seconds = var.dlq_visibility_timeout_seconds
  redrive                        = var.redrive

  enabled              = var.enabled
  batch_size           = var.batch_size
  batch_window_seconds = var.batch_window_seconds
  maximum_concurrency  = var.maximum_concurrency
  memory_mb            = var.memory_mb
  timeout_seconds      = var.timeout_seconds
  runtime              = var.runtime
  architecture         = var.architecture
  log_level            = var.log_level
  max_entry_bytes      = var.max_entry_bytes

  bucket                   = var.bucket
  ledger_table             = var.ledger_table
  alarm_thresholds         = var.alarm_thresholds
  lambda_package           = var.lambda_package
  log_retention_days       = var.log_retention_days
  alarm_actions            = var.alarm_actions
  kms_key_arn              = var.kms_key_arn
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags
}

################################################################################
# Subscription
################################################################################

resource "aws_sns_topic_subscription" "this" {
  topic_arn            = local.topic_arn
  protocol             = "sqs"
  endpoint             = module.ingress.queue_arn
  raw_message_delivery = var.raw_message_delivery

  filter_policy       = var.filter_policy
  filter_policy_scope = var.filter_policy == null ? null : var.filter_policy_scope

  # What SNS can't deliver: the queue's policy or key is wrong, or the queue is gone.
  redrive_policy = jsonencode({ deadLetterTargetArn = module.ingress.dlq_arn })

  replay_policy = var.replay == null ? null : jsonencode(merge(
    { PointType = "Timestamp", StartingPoint = var.replay.from },
    var.replay.until == null ? {} : { EndingPoint = var.replay.until },
  ))

  lifecycle {
    precondition {
      condition     = local.own_topic ? true : split(":", var.existing_topic_arn)[3] == data.aws_region.current.id
      error_message = "existing_topic_arn is in another region than the provider: SNS subscribes in the topic's region only. Use the module with a provider of the topic's region."
    }
  }
}
