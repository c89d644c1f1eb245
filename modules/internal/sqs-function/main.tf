data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  suffix     = var.fifo ? ".fifo" : ""
  queue_name = "${var.name}${local.suffix}"
  dlq_name   = "${var.name}-dlq${local.suffix}"

  # Composed rather than read from the queues: their policies are inline and each names its own queue. The account
  # comes from the role, since a data source would have to ask AWS.
  account_id       = split(":", module.function.role_arn)[4]
  queue_arn_prefix = "arn:${data.aws_partition.current.partition}:sqs:${data.aws_region.current.id}:${local.account_id}"
  queue_arn        = "${local.queue_arn_prefix}:${local.queue_name}"
  dlq_arn          = "${local.queue_arn_prefix}:${local.dlq_name}"

  # The queue that is consumed: the module's own, or somebody else's.
  own_queue = var.existing_queue == null
  queue = local.own_queue ? {
    name = aws_sqs_queue.this[0].name
    arn  = aws_sqs_queue.this[0].arn
    url  = aws_sqs_queue.this[0].url
    } : {
    name = split(":", var.existing_queue.arn)[5]
    arn  = var.existing_queue.arn
    url  = var.existing_queue.url
  }

  own_bucket = var.configuration != null && var.settings.bucket == null
  settings   = local.own_bucket ? merge(var.settings, { bucket = module.bucket[0].bucket }) : var.settings

  environment = merge(
    {
      HOP                   = var.hop
      QUEUE_URL             = local.queue.url
      DEAD_LETTER_QUEUE_URL = aws_sqs_queue.dlq.url
      MAX_RECEIVE_COUNT     = tostring(var.failure.max_receive_count)
      RETRY_BASE_SECONDS    = tostring(var.failure.retry.base_seconds)
      RETRY_MAX_SECONDS     = tostring(var.failure.retry.max_seconds)
    },
    var.environment,
  )

  policy_statements = merge(
    {
      ConsumeQueue = {
        actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
        resources = [local.queue.arn]
      }
      GiveUp = {
        actions   = ["sqs:SendMessage"]
        resources = [aws_sqs_queue.dlq.arn]
      }
    },
    try(var.existing_queue.kms_key, null) == null ? {} : {
      ReadQueue = {
        actions   = ["kms:Decrypt"]
        resources = [var.existing_queue.kms_key.arn]
      }
    },
    var.policy_statements,
  )
}

module "bucket" {
  source = "../storage-bucket"
  count  = local.own_bucket ? 1 : 0

  name     = lower(replace(var.name, "_", "-"))
  settings = var.settings
}

module "function" {
  source = "../lambda-function"

  name              = var.name
  hop               = var.hop
  dead_lettered     = true
  description       = var.description
  handler           = var.handler
  function          = var.function
  settings          = local.settings
  configuration     = var.configuration
  environment       = local.environment
  policy_statements = local.policy_statements
  layers            = var.layers

  # It defers messages by a copy to its own queue, and redrive sends what it gives up on to that queue again.
  recursive_loop = "Allow"
}

resource "aws_lambda_event_source_mapping" "this" {
  event_source_arn                   = local.queue.arn
  function_name                      = module.function.function_arn
  enabled                            = var.queue.enabled
  batch_size                         = var.queue.batch_size
  maximum_batching_window_in_seconds = var.fifo ? null : var.queue.batch_window_seconds
  function_response_types            = ["ReportBatchItemFailures"]
  tags                               = var.settings.tags

  scaling_config {
    maximum_concurrency = var.queue.maximum_concurrency
  }

  lifecycle {
    precondition {
      condition     = local.own_queue ? true : split(":", var.existing_queue.arn)[3] == data.aws_region.current.id
      error_message = "existing_queue is in another region than the provider: Lambda consumes queues of its own region only. Use the module with a provider of the queue's region."
    }
  }
}
