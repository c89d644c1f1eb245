locals {
  # arn:<partition>:events:<region>:<account>:event-bus/<name>
  bus_arn_parts = split(":", var.bus_arn)
  partition     = local.bus_arn_parts[1]
  region        = local.bus_arn_parts[3]
  account_id    = local.bus_arn_parts[4]

  hop     = "review/${var.name}"
  kms_key = var.settings.kms_key[*]

  bucket        = var.settings.bucket == null ? module.bucket[0].bucket : var.settings.bucket
  bodies_prefix = "bodies/review/"

  audit = var.existing_audit_bucket == null ? module.audit[0].bucket : { name = var.existing_audit_bucket.name, arn = var.existing_audit_bucket.arn }

  # Entries of the audit from before it was in S3, and what Terraform alone writes.
  unchangeable = ["audit/*", "settings/*"]

  # By ARN: a message names the queue that it is from by that.
  configuration = jsonencode({ dead_letter_queues = { for queue in values(var.dead_letter_queues) : queue.queue_arn => {
    url               = queue.queue_url
    hop               = queue.hop
    destination       = queue.destination
    queue_url         = queue.source_queue_url
    redrive_target    = queue.redrive_target
    function_arn      = queue.function_arn
    consumer_arn      = queue.consumer_arn
    function_role_id  = queue.function_role_id
    from_rules        = queue.from_rules
    rule_arn          = queue.rule_arn
    idempotency_table = try(queue.idempotency_table.name, null)
    ordered           = queue.ordered
    redrive           = queue.redrive
  } } })

  # A circuit breaker is kept in the idempotency store of the hop.
  circuit_breaker_tables = distinct([for queue in values(var.dead_letter_queues) : queue.idempotency_table.arn if queue.idempotency_table != null])

  # Key queues of routes that keep an order are in it, too, or of routes that kept one.
  key_queue_tables = distinct([for queue in values(var.dead_letter_queues) : queue.idempotency_table.arn if startswith(queue.hop, "route/") && queue.idempotency_table != null])

  # Where dead letters go back to, besides the bus, and the stores that say whether they may. A hop on the bus may have a function too: one that took
  # a request which never became an event. A message that crashed a queue's consumer is handed to that function alone.
  redrive_permissions = merge(
    { for arns in [local.named.source_queues.arns] : "RedriveToQueues" => { actions = ["sqs:GetQueueAttributes", "sqs:SendMessage"], resources = local.resources.source_queues } if length(arns) > 0 },
    { for arns in [local.circuit_breaker_tables] : "ReadCircuitBreakers" => { actions = ["dynamodb:GetItem"], resources = arns } if length(arns) > 0 },
    { for arns in [local.key_queue_tables] : "FindKeyQueues" => { actions = ["dynamodb:Query"], resources = [for arn in arns : "${arn}/index/by-held"] } if length(arns) > 0 },
    # Where the first event of a key is gone, the later ones are resumed.
    { for arns in [local.key_queue_tables] : "WriteKeyQueues" => {
      actions    = ["dynamodb:PutItem", "dynamodb:UpdateItem"]
      resources  = arns
      conditions = [{ test = "ForAllValues:StringLike", variable = "dynamodb:LeadingKeys", values = ["key-queue|*", "key-queue-page|*", "*|parked/*"] }]
    } if length(arns) > 0 },
    { for arns in [local.named.functions.arns] : "RedriveToFunctions" => { actions = ["lambda:InvokeFunction"], resources = local.resources.functions } if length(arns) > 0 },
  )
}

module "bucket" {
  source = "../internal/storage-bucket"
  count  = var.settings.bucket == null ? 1 : 0

  name     = replace(lower(var.name), "_", "-")
  settings = var.settings
}

# The record of what operators do, which even they can't change: docs/adr/0010-audit-in-s3.md.
module "audit" {
  source = "../internal/storage-bucket"
  count  = var.existing_audit_bucket == null ? 1 : 0

  name          = "${replace(lower(substr(var.name, 0, 30)), "_", "-")}-audit"
  append_only   = var.audit_lock
  force_destroy = !var.deletion_protection
  settings      = var.settings
}

moved {
  from = module.audit
  to   = module.audit[0]
}

# For the policy of a bucket of the user's.
module "append_only" {
  source = "../internal/append-only-policy"
  count  = var.existing_audit_bucket == null ? 0 : 1

  bucket_arn = var.existing_audit_bucket.arn
}

# Where ingresses and transforms store what is too large for the bus.
module "event_bodies" {
  source = "../internal/event-bodies"
  bucket = local.bucket
  store  = false
}

################################################################################
# Function
################################################################################

module "function" {
  source = "../internal/lambda-function"

  name        = var.name
  hop         = local.hop
  description = "Redrives dead letters to the hop that failed, or opens a review item"
  handler     = "media_events.handlers.redrive.handler"

  configuration = local.configuration

  environment = {
    HOP          = local.hop
    BUS_ARN      = var.bus_arn
    REVIEW_TABLE = aws_dynamodb_table.items.name
    BODIES_URI   = "s3://${local.bucket.name}/${local.bodies_prefix}"
    TOPIC_ARN    = local.topic_arn

    EVENT_BODIES_URI       = module.event_bodies.uri
    NOTIFICATIONS_PER_HOUR = tostring(var.notifications_per_hour)
    CLOSED_RETENTION_DAYS  = tostring(var.closed_retention_days)
  }

  policy_statements = merge(
    {
      ReadDeadLetters = {
        actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        resources = local.resources.dead_letter_queues
      }
      RedriveToBus = { actions = ["events:PutEvents"], resources = [var.bus_arn] }
      # What goes back by the bus for one hop alone would be lost if the hop's rule took it no longer. TestEventPattern takes no resource.
      ReadRules         = { actions = ["events:DescribeRule"], resources = ["${trimsuffix(replace(var.bus_arn, ":event-bus/", ":rule/"), "/default")}/*"] }
      TestEventPatterns = { actions = ["events:TestEventPattern"], resources = ["*"] }
      ReadItems         = { actions = ["dynamodb:BatchGetItem", "dynamodb:GetItem"], resources = [aws_dynamodb_table.items.arn] }
      WriteItems = {
        actions    = ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        resources  = [aws_dynamodb_table.items.arn]
        conditions = [{ test = "ForAllValues:StringNotLike", variable = "dynamodb:LeadingKeys", values = local.unchangeable }]
      }
      StoreBodies = { actions = ["s3:PutObject"], resources = ["${local.bucket.arn}/${local.bodies_prefix}*"] }
      # Lists are queries of the indexes. Items that were closed closed_retention_days ago are deleted, with their bodies.
      ListItems    = { actions = ["dynamodb:Query"], resources = ["${aws_dynamodb_table.items.arn}/index/*"] }
      ListBodies   = { actions = ["s3:ListBucketVersions"], resources = [local.bucket.arn] }
      DeleteBodies = { actions = ["s3:DeleteObject", "s3:DeleteObjectVersion"], resources = ["${local.bucket.arn}/${local.bodies_prefix}*"] }
      Notify       = { actions = ["sns:Publish"], resources = [local.topic_arn] }
    },
    { for key in try(var.existing_topic.kms_key, null)[*] : "UseKeyOfTopic" => { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [key.arn] } },
    module.event_bodies.policy_statements,
    local.redrive_permissions,
  )

  settings = merge(var.settings, { bucket = local.bucket })
  function = var.function

  # What it redrives comes back when it fails again: redrive.max_count ends that.
  recursive_loop = "Allow"
}

resource "aws_lambda_event_source_mapping" "dlq" {
  for_each = var.dead_letter_queues

  event_source_arn        = each.value.queue_arn
  function_name           = module.function.invocation.arn
  batch_size              = var.batch_size
  function_response_types = ["ReportBatchItemFailures"]
  tags                    = var.settings.tags

  scaling_config {
    maximum_concurrency = var.maximum_concurrency
  }

  lifecycle {
    precondition {
      condition     = var.function.timeout_seconds >= 60
      error_message = "function.timeout_seconds must be 60 to 900: the function waits up to 45 seconds for one that tries a dead letter alone."
    }
  }
}
