data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  hop = "ingress/${var.name}"

  # Partners without secrets of their own; the others' ARNs may be unknown until apply, their being there is not.
  own_secrets = toset([for partner, settings in var.partners : partner if settings.secret_arns == null && settings.authorization == null])

  secret_arns = {
    for partner, settings in var.partners : partner =>
    contains(local.own_secrets, partner) ? [aws_secretsmanager_secret.partner[partner].arn] : settings.secret_arns == null ? [] : settings.secret_arns
  }

  bucket        = var.bucket == null ? { name = module.bucket[0].bucket_name, arn = module.bucket[0].bucket_arn } : var.bucket
  bodies_prefix = "bodies/events/" # the same as the router's: pointers under another prefix are not followed
}

module "bucket" {
  source = "../internal/storage-bucket"
  count  = var.bucket == null ? 1 : 0

  name        = lower(replace(var.name, "_", "-"))
  kms_key_arn = var.kms_key_arn
  tags        = var.tags
}

################################################################################
# Secrets
################################################################################

# Without a value: a value in Terraform would be in its state. The operator, or the partner's onboarding, puts it.
resource "aws_secretsmanager_secret" "partner" {
  #checkov:skip=CKV_AWS_149:Encrypted with the AWS-managed key by default; kms_key_arn sets a key of your own
  #checkov:skip=CKV2_AWS_57:The partner makes these secrets: rotation is put here from there, no function could do it
  for_each = local.own_secrets

  name                    = "${var.name}/${each.key}"
  description             = "Verifies the webhooks of ${each.key}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_window_days
  tags                    = var.tags
}

################################################################################
# Replay ledger
################################################################################

resource "aws_dynamodb_table" "ledger" {
  #checkov:skip=CKV_AWS_119:Encrypted with a key that AWS owns by default; kms_key_arn sets a key of your own
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
# Dead letters: what the bus refused, and requests that could not be processed
################################################################################

resource "aws_sqs_queue" "dlq" {
  name                       = "${var.name}-dlq"
  message_retention_seconds  = 1209600 # 14 days, the most there is
  visibility_timeout_seconds = var.dlq_visibility_timeout_seconds
  max_message_size           = 262144
  sqs_managed_sse_enabled    = var.kms_key_arn == null ? true : null
  kms_master_key_id          = var.kms_key_arn
  tags                       = var.tags

  # Composed rather than read from the queue: the policy is inline, since the provider waits for every separate one.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "DenyWithoutTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = "arn:${data.aws_partition.current.partition}:sqs:${data.aws_region.current.id}:${split(":", module.function.role_arn)[4]}:${var.name}-dlq"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # Only the function sends here; no queue may make it its own dead-letter queue.
  redrive_allow_policy = jsonencode({ redrivePermission = "denyAll" })
}

################################################################################
# Function
################################################################################

locals {
  configuration = jsonencode({
    partners = {
      for partner, settings in var.partners : partner => {
        specification              = jsondecode(settings.specification)
        secret_arns                = local.secret_arns[partner]
        authentication             = settings.authorization == null ? "signature" : settings.authorization.type
        principals                 = settings.authorization == null ? [] : settings.authorization.principals
        require_client_certificate = settings.require_client_certificate
      }
    }
  })

  environment = {
    HOP                   = local.hop
    BUS_ARN               = var.bus_arn
    LEDGER_TABLE          = aws_dynamodb_table.ledger.name
    DEAD_LETTER_QUEUE_URL = aws_sqs_queue.dlq.url
    BODIES_URI            = "s3://${local.bucket.name}/${local.bodies_prefix}"
    MAX_BODY_BYTES        = tostring(var.max_body_bytes)
    MAX_ENTRY_BYTES       = tostring(var.max_entry_bytes)
  }

  policy_statements = merge(
    {
      Publish = {
        actions   = ["events:PutEvents"]
        resources = [var.bus_arn]
      }
      RememberRequests = {
        actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]
        resources = [aws_dynamodb_table.ledger.arn]
      }
      GiveUp = {
        actions   = ["sqs:SendMessage"]
        resources = [aws_sqs_queue.dlq.arn]
      }
      # Reads what it stored itself, when a request that could not be processed is sent to it again.
      KeepLargeBodies = {
        actions   = ["s3:GetObject", "s3:PutObject"]
        resources = ["${local.bucket.arn}/${local.bodies_prefix}*"]
      }
    },
    length(local.own_secrets) == 0 && alltrue([for settings in values(var.partners) : length(coalesce(settings.secret_arns, [])) == 0]) ? {} : {
      ReadSecrets = {
        actions   = ["secretsmanager:GetSecretValue"]
        resources = distinct(flatten(values(local.secret_arns)))
      }
    },
    length(var.secret_key_arns) == 0 ? {} : {
      DecryptSecrets = {
        actions   = ["kms:Decrypt"]
        resources = var.secret_key_arns
      }
    },
  )
}

module "function" {
  source = "../internal/lambda-function"

  name                     = var.name
  description              = "Verifies, normalises and publishes partners' webhooks"
  handler                  = "media_events.handlers.webhook.handler"
  runtime                  = var.runtime
  architecture             = var.architecture
  memory_mb                = var.memory_mb
  timeout_seconds          = var.timeout_seconds
  reserved_concurrency     = var.reserved_concurrency
  log_level                = var.log_level
  bucket                   = local.bucket
  lambda_package           = var.lambda_package
  log_retention_days       = var.log_retention_days
  alarm_actions            = var.alarm_actions
  kms_key_arn              = var.kms_key_arn
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags
  configuration            = local.configuration
  environment              = local.environment
  policy_statements        = local.policy_statements
}
