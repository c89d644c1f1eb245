locals {
  # arn:<partition>:events:<region>:<account>:event-bus/<name>
  bus_arn_parts = split(":", var.bus_arn)
  region        = local.bus_arn_parts[3]
  account_id    = local.bus_arn_parts[4]

  bucket        = var.bucket == null ? { name = module.bucket[0].bucket_name, arn = module.bucket[0].bucket_arn } : var.bucket
  bodies_prefix = "bodies/review/"
  event_bodies  = "bodies/events/" # where ways in and transforms keep what is too large for the bus

  # By ARN, because that is what a record tells of the queue that it is from.
  configuration = jsonencode({ dead_letter_queues = { for queue in values(var.dead_letter_queues) : queue.queue_arn => {
    url          = queue.queue_url
    hop          = queue.hop
    destination  = queue.destination
    queue_url    = queue.source_queue_url
    route_back   = queue.route_back
    function_arn = queue.function_arn
    consumer_arn = queue.consumer_arn
    ledger_table = queue.ledger_table_name
    redrive      = queue.redrive
  } } })

  # Where dead letters go back to, besides the bus, and what says whether they may. A hop on the bus may have a function too: one that took a request
  # which never became an event. What crashed a queue's consumer is handed to it alone.
  put_back = { for sid, statement in {
    PutBackInQueues    = { actions = ["sqs:SendMessage"], resources = [for queue in values(var.dead_letter_queues) : queue.source_queue_arn if queue.route_back == "queue"] }
    ReadBreakers       = { actions = ["dynamodb:GetItem"], resources = distinct(compact(values(var.dead_letter_queues)[*].ledger_table_arn)) }
    PutBackToFunctions = { actions = ["lambda:InvokeFunction"], resources = distinct(compact(flatten([for queue in values(var.dead_letter_queues) : [queue.function_arn, queue.consumer_arn]]))) }
  } : sid => statement if length(statement.resources) > 0 }
}

module "bucket" {
  source = "../internal/storage-bucket"
  count  = var.bucket == null ? 1 : 0

  name        = replace(lower(var.name), "_", "-")
  kms_key_arn = var.kms_key_arn
  tags        = var.tags
}

################################################################################
# Function
################################################################################

module "function" {
  source = "../internal/lambda-function"

  name            = var.name
  description     = "Re-drives dead letters to the hop that failed, or opens a review item"
  handler         = "media_events.handlers.redrive.handler"
  timeout_seconds = var.timeout_seconds
  memory_mb       = var.memory_mb

  configuration = local.configuration

  environment = {
    HOP          = "review/${var.name}"
    BUS_ARN      = var.bus_arn
    REVIEW_TABLE = aws_dynamodb_table.items.name
    BODIES_URI   = "s3://${local.bucket.name}/${local.bodies_prefix}"
    TOPIC_ARN    = aws_sns_topic.review.arn

    EVENT_BODIES_URI       = "s3://${local.bucket.name}/${local.event_bodies}"
    NOTIFICATIONS_PER_HOUR = tostring(var.notifications_per_hour)
    KEEP_SETTLED_DAYS      = tostring(var.keep_settled_days)
  }

  policy_statements = merge(
    {
      ReadDeadLetters = {
        actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        resources = values(var.dead_letter_queues)[*].queue_arn
      }
      PutBackOnBus = { actions = ["events:PutEvents"], resources = [var.bus_arn] }
      WriteItems = {
        actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        resources = [aws_dynamodb_table.items.arn]
      }
      KeepBodies = { actions = ["s3:PutObject"], resources = ["${local.bucket.arn}/${local.bodies_prefix}*"] }
      # Lists are made of the indexes; what is deleted is an item that has been settled for keep_settled_days, with its bodies.
      ListItems = { actions = ["dynamodb:Query"], resources = ["${aws_dynamodb_table.items.arn}/index/*"] }
      DeleteItems = {
        actions   = ["dynamodb:DeleteItem"]
        resources = [aws_dynamodb_table.items.arn]
        # The audit is only added to, by whomever.
        conditions = [{ test = "ForAllValues:StringNotLike", variable = "dynamodb:LeadingKeys", values = ["audit/*"] }]
      }
      ListBodies      = { actions = ["s3:ListBucketVersions"], resources = [local.bucket.arn] }
      DeleteBodies    = { actions = ["s3:DeleteObject", "s3:DeleteObjectVersion"], resources = ["${local.bucket.arn}/${local.bodies_prefix}*"] }
      ReadEventBodies = { actions = ["s3:GetObject"], resources = ["${local.bucket.arn}/${local.event_bodies}*"] }
      Notify          = { actions = ["sns:Publish"], resources = [aws_sns_topic.review.arn] }
    },
    local.put_back,
  )

  bucket                   = local.bucket
  kms_key_arn              = var.kms_key_arn
  lambda_package           = var.lambda_package
  log_retention_days       = var.log_retention_days
  alarm_actions            = var.alarm_actions
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags
}

resource "aws_lambda_event_source_mapping" "dlq" {
  for_each = var.dead_letter_queues

  event_source_arn        = each.value.queue_arn
  function_name           = module.function.function_arn
  batch_size              = var.batch_size
  function_response_types = ["ReportBatchItemFailures"]
  tags                    = var.tags

  scaling_config {
    maximum_concurrency = var.maximum_concurrency
  }
}
