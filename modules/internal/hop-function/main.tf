# What a hop is made of, besides its rule. Its dead-letter queue is always there; the rest as the hop is now, or was before:
#
#   rule -> queue -> function    the function consumes the queue
#   rule -> function             asynchronously: what fails on every attempt ends in the dead-letter queue by its on-failure destination
#   rule -> somebody else's      a dead-letter queue for the rule's target alone
#
# Each thing has one address, so that a hop may change from one to another: what both have stays, and is never made twice.

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  suffix     = var.fifo ? ".fifo" : ""
  queue_name = "${var.name}${local.suffix}"
  dlq_name   = "${var.name}-dlq${local.suffix}"

  # Composed rather than read from the queues: their policies are inline and each names its own queue.
  queue_arn_prefix = "arn:${data.aws_partition.current.partition}:sqs:${data.aws_region.current.id}:${var.account_id}"
  queue_arn        = "${local.queue_arn_prefix}:${local.queue_name}"
  dlq_arn          = "${local.queue_arn_prefix}:${local.dlq_name}"

  own_dlq = var.existing_dlq == null
  dlq = local.own_dlq ? { name = aws_sqs_queue.dlq[0].name, arn = aws_sqs_queue.dlq[0].arn, url = aws_sqs_queue.dlq[0].url } : {
    name = split(":", var.existing_dlq.arn)[5]
    arn  = var.existing_dlq.arn
    url  = var.existing_dlq.url
  }

  # The queue that is consumed: the module's own, or somebody else's.
  own_queue = var.has_queue && var.existing_queue == null
  queue = local.own_queue ? {
    name = aws_sqs_queue.this[0].name
    arn  = aws_sqs_queue.this[0].arn
    url  = aws_sqs_queue.this[0].url
    } : var.existing_queue == null ? null : {
    name = split(":", var.existing_queue.arn)[5]
    arn  = var.existing_queue.arn
    url  = var.existing_queue.url
  }

  is_invoked   = length(var.invoking_rules) > 0
  has_function = var.has_queue || local.is_invoked
  function     = one(module.function[*])
  qualifier    = try(local.function.invocation.qualifier, null)

  own_bucket = local.has_function && var.configuration != null && var.settings.bucket == null
  settings   = local.own_bucket ? merge(var.settings, { bucket = module.bucket[0].bucket }) : var.settings

  environment = merge(
    {
      HOP                   = var.hop
      DEAD_LETTER_QUEUE_URL = local.dlq.url
    },
    local.is_invoked ? { INVOCATION = "direct" } : {},
    var.has_queue ? {
      QUEUE_URL          = local.queue.url
      MAX_RECEIVE_COUNT  = tostring(var.failure.max_receive_count)
      RETRY_BASE_SECONDS = tostring(var.failure.retry.base_seconds)
      RETRY_MAX_SECONDS  = tostring(var.failure.retry.max_seconds)
    } : {},
    var.environment,
  )

  # The function itself sends events that it gives up on at once. Lambda, with the function's role, sends those of asynchronous invocations
  # that fail on every attempt.
  policy_statements = merge(
    { GiveUp = { actions = ["sqs:SendMessage"], resources = [local.dlq.arn], conditions = [] } },
    var.has_queue ? {
      ConsumeQueue = {
        actions    = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
        resources  = [local.queue.arn]
        conditions = []
      }
    } : {},
    { for key in try(var.existing_dlq.kms_key, null)[*] : "UseKeyOfDlq" => { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [key.arn], conditions = [] } },
    { for key in try(var.existing_queue.kms_key, null)[*] : "ReadQueue" => { actions = ["kms:Decrypt"], resources = [key.arn], conditions = [] } },
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
  count  = local.has_function ? 1 : 0

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

  # It defers messages by a copy to its own queue, and redrive sends what it gives up on to that queue or, by the bus, to the function again.
  recursive_loop = "Allow"
}

################################################################################
# Behind a queue
################################################################################

resource "aws_lambda_event_source_mapping" "this" {
  count = var.has_queue ? 1 : 0

  event_source_arn                   = local.queue.arn
  function_name                      = local.function.invocation.arn
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
      condition     = var.existing_queue == null ? true : split(":", var.existing_queue.arn)[3] == data.aws_region.current.id
      error_message = "existing_queue is in another region than the provider: Lambda consumes queues of its own region only. Use the module with a provider of the queue's region."
    }
  }
}

################################################################################
# Invoked by rules
################################################################################

resource "aws_lambda_permission" "rule" {
  for_each = var.invoking_rules

  statement_id  = "AllowRule-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = local.function.function_name
  principal     = "events.amazonaws.com"
  source_arn    = each.value
}

# An alias has a policy and an invoke config of its own, besides those of the function. They go after the rules have another target.
resource "aws_lambda_permission" "rule_of_alias" {
  for_each = local.qualifier == null ? {} : var.invoking_rules

  statement_id_prefix = "AllowRule-"
  action              = "lambda:InvokeFunction"
  function_name       = local.function.function_name
  qualifier           = local.qualifier
  principal           = "events.amazonaws.com"
  source_arn          = each.value

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lambda_function_event_invoke_config" "alias" {
  count = local.is_invoked && local.qualifier != null ? 1 : 0

  function_name                = local.function.function_name
  qualifier                    = local.qualifier
  maximum_retry_attempts       = var.function_retry.max_attempts
  maximum_event_age_in_seconds = var.function_retry.max_age_seconds

  destination_config {
    on_failure {
      destination = local.dlq.arn
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lambda_function_event_invoke_config" "this" {
  count = local.is_invoked ? 1 : 0

  function_name                = local.function.function_name
  maximum_retry_attempts       = var.function_retry.max_attempts
  maximum_event_age_in_seconds = var.function_retry.max_age_seconds

  destination_config {
    on_failure {
      destination = local.dlq.arn
    }
  }
}

# The addresses before a hop could be without a queue, and without a function.
moved {
  from = module.function
  to   = module.function[0]
}

moved {
  from = aws_lambda_event_source_mapping.this
  to   = aws_lambda_event_source_mapping.this[0]
}

moved {
  from = aws_lambda_function_event_invoke_config.this
  to   = aws_lambda_function_event_invoke_config.this[0]
}
