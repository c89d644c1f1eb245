data "aws_partition" "current" {}

locals {
  own_bus = var.existing_bus == null
  bus = local.own_bus ? { name = aws_cloudwatch_event_bus.this[0].name, arn = aws_cloudwatch_event_bus.this[0].arn } : {
    name = split("event-bus/", var.existing_bus.arn)[1]
    arn  = var.existing_bus.arn
  }
}

resource "aws_cloudwatch_event_bus" "this" {
  count = local.own_bus ? 1 : 0

  name               = var.name
  description        = var.description
  kms_key_identifier = one(var.settings.kms_key[*].arn)
  tags               = var.settings.tags

  dynamic "dead_letter_config" {
    for_each = var.settings.kms_key == null ? [] : [module.dead_letters[0].arn] # all of the module would be a cycle

    content {
      arn = dead_letter_config.value
    }
  }
}

moved {
  from = aws_cloudwatch_event_bus.this
  to   = aws_cloudwatch_event_bus.this[0]
}

# With a key of its own, EventBridge may fail to encrypt or decrypt an event, which reaches no rule then.
module "dead_letters" {
  source = "../internal/bus-dead-letters"
  count  = local.own_bus && var.settings.kms_key != null ? 1 : 0

  name           = var.name
  bus_arn        = local.bus.arn
  redrive_target = "bus"
  settings       = var.settings
  failure        = var.failure
}

resource "aws_cloudwatch_event_archive" "this" {
  count = var.archive == null ? 0 : 1

  name             = var.name
  description      = "Events of the bus ${var.name}, for archive replays"
  event_source_arn = local.bus.arn
  retention_days   = var.archive.retention_days
  event_pattern    = var.archive.pattern
}

################################################################################
# Senders
################################################################################

locals {
  sender_statements = [for sid, sender in var.senders : {
    Sid    = sid
    Effect = "Allow"
    Action = "events:PutEvents"
    Principal = {
      # An organisation alone is everybody, and by the condition below only those of the organisation.
      AWS = length(sender.account_ids) + length(sender.role_arns) == 0 ? ["*"] : concat(
        [for account in sender.account_ids : "arn:${data.aws_partition.current.partition}:iam::${account}:root"],
        sender.role_arns,
      )
    }
    Resource = local.bus.arn
    Condition = {
      StringEquals = merge(
        { "events:source" = sender.sources },
        sender.organization_id == null ? {} : { "aws:PrincipalOrgID" = sender.organization_id },
      )
    }
  }]
}

resource "aws_cloudwatch_event_bus_policy" "this" {
  count = length(var.senders) == 0 ? 0 : 1

  event_bus_name = local.bus.name
  policy         = jsonencode({ Version = "2012-10-17", Statement = local.sender_statements })

  lifecycle {
    precondition {
      condition     = length(jsonencode(local.sender_statements)) <= 10000
      error_message = "The bus's policy would be longer than the 10 KB that EventBridge takes: name organisations instead of accounts."
    }
  }
}
