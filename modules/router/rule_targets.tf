################################################################################
# Routes whose rule sends by itself: to a queue of yours, an API destination, a log group
################################################################################

locals {
  routes_to_queue = { for key, route in local.routes_by_rule : key => route if route.target.sqs != null }
  routes_to_api   = { for key, route in local.routes_by_rule : key => route if route.target.api_destination != null }
  routes_to_logs  = { for key, route in local.routes_by_rule : key => route if route.target.logs != null }

  rule_targets = merge(
    { for key, route in local.routes_to_queue : key => {
      arn               = route.target.sqs.queue_arn
      role_arn          = null
      input_transformer = route.target.sqs.input_transformer
    } },
    { for key, route in local.routes_to_api : key => {
      arn               = aws_cloudwatch_event_api_destination.this[local.destinations[key]].arn
      role_arn          = aws_iam_role.api_destination[key].arn
      input_transformer = route.target.api_destination.input_transformer
    } },
    { for key, route in local.routes_to_logs : key => {
      arn               = local.log_group_arns[key]
      role_arn          = null # a log group knows policies of its own only
      input_transformer = route.target.logs.input_transformer
    } },
  )

  # For people, and known when planned.
  rule_target_names = merge(
    { for key, route in local.routes_to_queue : key => route.target.sqs.queue_arn },
    { for key, route in local.routes_to_api : key => route.target.api_destination.url },
    { for key in keys(local.routes_to_logs) : key => "the log group ${local.log_group_names[key]}" },
  )

  dlq_names = { for key in keys(local.routes_by_rule) : key => "${var.name}-${key}-dlq" }
  dlq_arns  = { for key, name in local.dlq_names : key => "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${name}" }
}

resource "aws_cloudwatch_event_target" "own" {
  for_each = local.routes_by_rule

  rule           = aws_cloudwatch_event_rule.this[each.key].name
  event_bus_name = local.bus_name
  target_id      = each.key
  arn            = local.rule_targets[each.key].arn
  role_arn       = local.rule_targets[each.key].role_arn

  dynamic "sqs_target" {
    for_each = [for sqs in each.value.target.sqs[*] : sqs if sqs.message_group_id != null]

    content {
      message_group_id = sqs_target.value.message_group_id
    }
  }

  dynamic "http_target" {
    for_each = each.value.target.api_destination[*]

    content {
      header_parameters       = local.api_headers[each.key]
      query_string_parameters = http_target.value.query
      path_parameter_values   = http_target.value.path_values
    }
  }

  dynamic "input_transformer" {
    for_each = local.rule_targets[each.key].input_transformer[*]

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

  # The rule must not send before it may, and before there is something to send to.
  depends_on = [aws_iam_role_policy.api_destination, aws_cloudwatch_log_group.target, aws_cloudwatch_log_resource_policy.rules]
}

# Standard also where the route's queue is FIFO: EventBridge refuses a FIFO queue as a target's dead-letter queue.
resource "aws_sqs_queue" "dlq" {
  for_each = local.routes_by_rule

  name                       = local.dlq_names[each.key]
  message_retention_seconds  = 14 * 24 * 60 * 60
  visibility_timeout_seconds = each.value.failure.dlq_visibility_timeout_seconds
  max_message_size           = var.settings.max_message_size
  sqs_managed_sse_enabled    = var.settings.kms_key == null ? true : null
  kms_master_key_id          = one(var.settings.kms_key[*].arn)
  policy                     = data.aws_iam_policy_document.dlq[each.key].json
  redrive_allow_policy       = jsonencode({ redrivePermission = "denyAll" })
  tags                       = var.settings.tags
}

data "aws_iam_policy_document" "dlq" {
  for_each = local.routes_by_rule

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

# What the policy of the user's queue must say, as an output and, on request, attached. A queue has one policy, whatever number of routes
# leads there.
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
      values   = [local.all_rule_arns]
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
}
