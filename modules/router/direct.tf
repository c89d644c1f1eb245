################################################################################
# Routes straight to a queue of the user's
################################################################################

locals {
  dlq_names = { for key in keys(local.routes_to_queue) : key => "${var.name}-${key}-dlq" }
  dlq_arns  = { for key, name in local.dlq_names : key => "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${name}" }

  # Rules of this router that send to the same queue share its one policy.
  rule_arns_of_queue = { for key, route in local.routes_to_queue : key => [
    for other, other_route in local.routes_to_queue : local.rule_arns[other] if other_route.target.sqs.queue_arn == route.target.sqs.queue_arn
  ] }
}

resource "aws_cloudwatch_event_target" "direct" {
  for_each = local.routes_to_queue

  rule           = aws_cloudwatch_event_rule.this[each.key].name
  event_bus_name = var.bus_name
  target_id      = each.key
  arn            = each.value.target.sqs.queue_arn

  dynamic "sqs_target" {
    for_each = each.value.target.sqs.message_group_id == null ? [] : [each.value.target.sqs.message_group_id]

    content {
      message_group_id = sqs_target.value
    }
  }

  dynamic "input_transformer" {
    for_each = each.value.target.sqs.input_transformer == null ? [] : [each.value.target.sqs.input_transformer]

    content {
      input_paths    = input_transformer.value.paths
      input_template = chomp(input_transformer.value.template)
    }
  }

  dead_letter_config {
    arn = aws_sqs_queue.dlq[each.key].arn
  }

  # Both halves: the provider would send 0 for the one left out.
  retry_policy {
    maximum_event_age_in_seconds = each.value.rule_retry.max_age_seconds
    maximum_retry_attempts       = each.value.rule_retry.max_attempts
  }
}

# Standard also where the route's queue is FIFO: EventBridge refuses a FIFO queue as a target's dead-letter queue.
resource "aws_sqs_queue" "dlq" {
  for_each = local.routes_to_queue

  name                       = local.dlq_names[each.key]
  message_retention_seconds  = 14 * 24 * 60 * 60
  visibility_timeout_seconds = 360
  sqs_managed_sse_enabled    = var.kms_key_arn == null ? true : null
  kms_master_key_id          = var.kms_key_arn
  policy                     = data.aws_iam_policy_document.dlq[each.key].json
  redrive_allow_policy       = jsonencode({ redrivePermission = "denyAll" })
  tags                       = var.tags
}

data "aws_iam_policy_document" "dlq" {
  for_each = local.routes_to_queue

  statement {
    sid       = "RuleSendsDeadLetters"
    actions   = ["sqs:SendMessage"]
    resources = [local.dlq_arns[each.key]]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.rule_arns[each.key]]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }

  statement {
    sid       = "OnlyEncryptedTransport"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [local.dlq_arns[each.key]]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

# What the policy of the user's queue must say, as an output and, on request, attached.
data "aws_iam_policy_document" "target" {
  for_each = local.routes_to_queue

  statement {
    sid       = "RulesSendEvents"
    actions   = ["sqs:SendMessage"]
    resources = [each.value.target.sqs.queue_arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = local.rule_arns_of_queue[each.key]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }

  statement {
    sid       = "OnlyEncryptedTransport"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value.target.sqs.queue_arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "target" {
  for_each = { for key, route in local.routes_to_queue : key => route if route.target.sqs.manage_queue_policy }

  queue_url = each.value.target.sqs.queue_url
  policy    = data.aws_iam_policy_document.target[each.key].json

  lifecycle {
    precondition {
      condition = length([
        for route in values(local.routes_to_queue) : true
        if route.target.sqs.manage_queue_policy && route.target.sqs.queue_arn == each.value.target.sqs.queue_arn
      ]) == 1
      error_message = "More than one route sets manage_queue_policy for the queue of route/${each.key}; a queue has one policy. Set it on one of them: the policy lets in the rules of all."
    }
  }
}
