locals {
  hop = "ingress/${var.name}"

  settings = var.settings.bucket == null ? merge(var.settings, { bucket = module.bucket[0].bucket }) : var.settings
}

module "bucket" {
  source = "../storage-bucket"
  count  = var.settings.bucket == null ? 1 : 0

  name     = lower(replace(var.name, "_", "-"))
  settings = var.settings
}

module "event_bodies" {
  source = "../event-bodies"
  bucket = local.settings.bucket
}

################################################################################
# Idempotency store
################################################################################

locals {
  idempotency_table = var.idempotency_table == null ? { name = aws_dynamodb_table.idempotency[0].name, arn = aws_dynamodb_table.idempotency[0].arn } : var.idempotency_table
}

resource "aws_dynamodb_table" "idempotency" {
  #checkov:skip=CKV_AWS_119:Encrypted with a key that AWS owns by default; settings.kms_key sets a key of your own
  count = var.idempotency_table == null ? 1 : 0

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
    enabled     = var.settings.kms_key != null # false is a key that AWS owns, not none
    kms_key_arn = one(var.settings.kms_key[*].arn)
  }
}

################################################################################
# Queue and function
################################################################################

# Refuses presets and keys that there are not.
module "specifications" {
  source         = "../partner-specifications"
  specifications = { for partner, settings in var.partners : partner => settings.specification }
}

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
    INGRESS           = var.ingress
    BUS_ARN           = var.bus_arn
    IDEMPOTENCY_TABLE = local.idempotency_table.name
    BODIES_URI        = module.event_bodies.uri
    MAX_ENTRY_BYTES   = tostring(var.max_entry_bytes)
  }

  policy_statements = merge(
    {
      Publish = {
        actions   = ["events:PutEvents"]
        resources = [var.bus_arn]
      }
      RememberEvents = {
        actions   = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        resources = [local.idempotency_table.arn]
      }
    },
    # The function reads a body that it stored itself when a message that could not be processed comes again.
    module.event_bodies.policy_statements,
  )
}

module "consumer" {
  source = "../hop-function"

  name               = var.name
  account_id         = split(":", local.idempotency_table.arn)[4]
  hop                = local.hop
  description        = "Normalises and publishes the events of partners"
  handler            = "media_events.handlers.queue_ingress.handler"
  configuration      = local.configuration
  environment        = local.environment
  policy_statements  = local.policy_statements
  fifo               = var.fifo
  existing_queue     = var.existing_queue
  existing_dlq       = var.existing_dlq
  senders            = var.senders
  allowed_topic_arns = var.allowed_topic_arns
  allowed_rule_arns  = var.allowed_rule_arns

  settings = local.settings
  function = var.function
  queue    = var.queue
  failure  = var.failure
}
