data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  hop     = "ingress/${var.name}"
  kms_key = var.settings.kms_key[*]

  # Partners that bring no secrets. The ARNs of those that are brought may be unknown until apply.
  own_secrets = toset([for partner, settings in var.partners : partner if settings.secret_arns == null && settings.authorization == null])

  secret_arns = {
    for partner, settings in var.partners : partner =>
    contains(local.own_secrets, partner) ? [aws_secretsmanager_secret.partner[partner].arn] : settings.secret_arns == null ? [] : settings.secret_arns
  }

  bucket = var.settings.bucket == null ? module.bucket[0].bucket : var.settings.bucket
}

module "bucket" {
  source = "../internal/storage-bucket"
  count  = var.settings.bucket == null ? 1 : 0

  name     = lower(replace(var.name, "_", "-"))
  settings = var.settings
}

module "event_bodies" {
  source = "../internal/event-bodies"
  bucket = local.bucket
}

################################################################################
# Secrets
################################################################################

# Without a value: a value in Terraform would be in its state. The operator, or the partner's onboarding, sets it.
resource "aws_secretsmanager_secret" "partner" {
  #checkov:skip=CKV_AWS_149:Encrypted with the AWS-managed key by default; settings.kms_key sets a customer managed key
  #checkov:skip=CKV2_AWS_57:The partner makes these secrets and rotates them: no function of this account could
  for_each = local.own_secrets

  name                    = "${var.name}/${each.key}"
  description             = "Verifies the webhooks of ${each.key}"
  kms_key_id              = one(local.kms_key[*].arn)
  recovery_window_in_days = var.secret_recovery_window_days
  tags                    = var.settings.tags
}

# The underscore keeps it apart from every partner's.
resource "aws_secretsmanager_secret" "origin" {
  #checkov:skip=CKV_AWS_149:Encrypted with the AWS-managed key by default; settings.kms_key sets a customer managed key
  #checkov:skip=CKV2_AWS_57:CloudFront's key value store must have the same value, and no rotation function of Secrets Manager's sets that
  count = var.behind_cloudfront ? 1 : 0

  name                    = "${var.name}/cloudfront_origin"
  description             = "Shows that a request came by CloudFront"
  kms_key_id              = one(local.kms_key[*].arn)
  recovery_window_in_days = var.secret_recovery_window_days
  tags                    = var.settings.tags
}

################################################################################
# Idempotency store
################################################################################

resource "aws_dynamodb_table" "idempotency" {
  #checkov:skip=CKV_AWS_119:Encrypted with a key that AWS owns by default; settings.kms_key sets a customer managed key
  name         = "${var.name}-idempotency"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  tags         = var.settings.tags

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
    enabled     = length(local.kms_key) > 0 # false is a key that AWS owns, not none
    kms_key_arn = one(local.kms_key[*].arn)
  }
}

################################################################################
# Dead letters: events that the bus refused, and requests that could not be processed
################################################################################

locals {
  dlq = var.existing_dlq == null ? { name = aws_sqs_queue.dlq[0].name, arn = aws_sqs_queue.dlq[0].arn, url = aws_sqs_queue.dlq[0].url } : {
    name = split(":", var.existing_dlq.arn)[5]
    arn  = var.existing_dlq.arn
    url  = var.existing_dlq.url
  }
}

# The address before there could be a queue of the user's.
moved {
  from = aws_sqs_queue.dlq
  to   = aws_sqs_queue.dlq[0]
}

resource "aws_sqs_queue" "dlq" {
  count = var.existing_dlq == null ? 1 : 0

  name                       = "${var.name}-dlq"
  message_retention_seconds  = 1209600 # 14 days, the most there is
  visibility_timeout_seconds = var.failure.dlq_visibility_timeout_seconds
  max_message_size           = var.settings.max_message_size
  sqs_managed_sse_enabled    = length(local.kms_key) == 0 ? true : null
  kms_master_key_id          = one(local.kms_key[*].arn)
  tags                       = var.settings.tags

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

# Refuses presets and keys that there are not.
module "specifications" {
  source         = "../internal/partner-specifications"
  specifications = { for partner, settings in var.partners : partner => settings.specification }
}

locals {
  configuration = jsonencode({
    partners = {
      for partner, settings in var.partners : partner => {
        specification              = jsondecode(settings.specification)
        secret_arns                = local.secret_arns[partner]
        previous_secret_seconds    = settings.previous_secret_seconds
        authentication             = settings.authorization == null ? "signature" : settings.authorization.type
        principals                 = settings.authorization == null ? [] : settings.authorization.principals
        require_client_certificate = settings.require_client_certificate
      }
    }
  })

  environment = merge({ for secret in aws_secretsmanager_secret.origin : "ORIGIN_SECRET_ARN" => secret.arn }, {
    HOP                   = local.hop
    BUS_ARN               = var.bus_arn
    IDEMPOTENCY_TABLE     = aws_dynamodb_table.idempotency.name
    DEAD_LETTER_QUEUE_URL = local.dlq.url
    BODIES_URI            = module.event_bodies.uri
    MAX_BODY_BYTES        = tostring(var.max_body_bytes)
    MAX_ENTRY_BYTES       = tostring(var.max_entry_bytes)
  })

  policy_statements = merge(
    {
      Publish = {
        actions   = ["events:PutEvents"]
        resources = [var.bus_arn]
      }
      RecordRequests = {
        actions   = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        resources = [aws_dynamodb_table.idempotency.arn]
      }
      SendDeadLetters = {
        actions   = ["sqs:SendMessage"]
        resources = [local.dlq.arn]
      }
    },
    { for key in try(var.existing_dlq.kms_key, null)[*] : "UseKeyOfDlq" => { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [key.arn] } },
    # Reads what it stored itself, when a request that could not be processed is sent to it again.
    module.event_bodies.policy_statements,
    !var.behind_cloudfront && length(local.own_secrets) == 0 && alltrue([for settings in values(var.partners) : length(coalesce(settings.secret_arns, [])) == 0]) ? {} : {
      ReadSecrets = {
        actions = ["secretsmanager:GetSecretValue"]
        resources = concat(
          # The module's own by the beginning of their names, which is the function's own: two functions of an account and region have two
          # names. With a list the policy would outgrow the 10,240 characters that IAM takes.
          !var.behind_cloudfront && length(local.own_secrets) == 0 ? [] : [join(":", [
            "arn", data.aws_partition.current.partition, "secretsmanager", data.aws_region.current.id, split(":", module.function.role_arn)[4], "secret", "${var.name}/*",
          ])],
          distinct(flatten([for partner, arns in local.secret_arns : arns if !contains(local.own_secrets, partner)])),
        )
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

  name              = var.name
  hop               = local.hop
  description       = "Verifies, normalises and publishes partners' webhooks"
  handler           = "media_events.handlers.webhook.handler"
  configuration     = local.configuration
  environment       = local.environment
  policy_statements = local.policy_statements
  settings          = merge(var.settings, { bucket = local.bucket })
  function          = var.function

  # Redrive invokes it with the requests that it could not process.
  recursive_loop = "Allow"
}
