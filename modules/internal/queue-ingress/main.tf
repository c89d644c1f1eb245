locals {
  hop = "ingress/${var.name}"

  bucket        = var.bucket == null ? { name = module.bucket[0].bucket_name, arn = module.bucket[0].bucket_arn } : var.bucket
  bodies_prefix = "bodies/events/" # the same as the router's: pointers under another prefix are not followed

  ledger = var.ledger_table == null ? { name = aws_dynamodb_table.ledger[0].name, arn = aws_dynamodb_table.ledger[0].arn } : var.ledger_table
}

module "bucket" {
  source = "../storage-bucket"
  count  = var.bucket == null ? 1 : 0

  name        = lower(replace(var.name, "_", "-"))
  kms_key_arn = var.kms_key_arn
  tags        = var.tags
}

################################################################################
# Replay ledger
################################################################################

resource "aws_dynamodb_table" "ledger" {
  #checkov:skip=CKV_AWS_119:Encrypted with a key that AWS owns by default; kms_key_arn sets a key of your own
  count = var.ledger_table == null ? 1 : 0

  name         = "${var.name}-ledger"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  tags         = var.tags

  attribute {
    name = "pk"
    type = "S"
  }

  ttl {
    enabled        = true
    attribute_name = "expires"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = var.kms_key_arn != null # false is a key that AWS owns, not none
    kms_key_arn = var.kms_key_arn
  }
}

################################################################################
# Queue and function
################################################################################

locals {
  configuration = jsonencode({
    partners = {
      for partner, settings in var.partners : partner => {
        for key, value in {
          specification = try(jsondecode(settings.specification), null)
          sources       = settings.sources
        } : key => value if value != null
      }
    }
  })

  environment = {
    ENTRY           = var.entry
    BUS_ARN         = var.bus_arn
    LEDGER_TABLE    = local.ledger.name
    BODIES_URI      = "s3://${local.bucket.name}/${local.bodies_prefix}"
    MAX_ENTRY_BYTES = tostring(var.max_entry_bytes)
  }

  policy_statements = {
    Publish = {
      actions   = ["events:PutEvents"]
      resources = [var.bus_arn]
    }
    RememberEvents = {
      actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]
      resources = [local.ledger.arn]
    }
    # Reads what it stored itself, when a message that could not be processed comes again.
    KeepLargeBodies = {
      actions   = ["s3:GetObject", "s3:PutObject"]
      resources = ["${local.bucket.arn}/${local.bodies_prefix}*"]
    }
  }
}

module "consumer" {
  source = "../sqs-function"

  name        = var.name
  hop         = local.hop
  description = "Normalises and publishes the events of ${join(", ", sort(keys(var.partners)))}"
  handler     = "media_events.handlers.receive.handler"

  fifo                           = var.fifo
  existing_queue                 = var.existing_queue
  content_based_deduplication    = var.content_based_deduplication
  high_throughput                = var.high_throughput
  allowed_senders                = var.allowed_senders
  allowed_topic_arns             = var.allowed_topic_arns
  allowed_rule_arns              = var.allowed_rule_arns
  max_receive_count              = var.max_receive_count
  retry                          = var.retry
  visibility_timeout_seconds     = var.visibility_timeout_seconds
  dlq_visibility_timeout_seconds = var.dlq_visibility_timeout_seconds

  enabled              = var.enabled
  batch_size           = var.batch_size
  batch_window_seconds = var.batch_window_seconds
  maximum_concurrency  = var.maximum_concurrency
  memory_mb            = var.memory_mb
  timeout_seconds      = var.timeout_seconds
  runtime              = var.runtime
  architecture         = var.architecture
  log_level            = var.log_level
  configuration        = local.configuration
  environment          = local.environment
  policy_statements    = local.policy_statements

  bucket                   = local.bucket
  alarm_thresholds         = var.alarm_thresholds
  lambda_package           = var.lambda_package
  log_retention_days       = var.log_retention_days
  alarm_actions            = var.alarm_actions
  kms_key_arn              = var.kms_key_arn
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags
}
